/** Measures the share of one core that this process uses between two moments. */
export class CpuMeter {
  #cpu = process.cpuUsage();
  #wallMs = performance.now();

  /** Restarts the measurement. */
  restart(): void {
    this.#cpu = process.cpuUsage();
    this.#wallMs = performance.now();
  }

  /** Share since the last restart; 1 is a whole core. */
  share(): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    const wallMs = performance.now() - this.#wallMs;
    return wallMs === 0 ? 0 : (user + system) / 1_000 / wallMs;
  }
}
