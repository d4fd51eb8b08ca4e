/** Measures what share of one core this process takes between two moments. */
export class CpuMeter {
  #cpu = process.cpuUsage();
  #wallMs = performance.now();

  /** Measures from now on. */
  restart(): void {
    this.#cpu = process.cpuUsage();
    this.#wallMs = performance.now();
  }

  /** The share since the last restart; 1 is a whole core. */
  share(): number {
    const { user, system } = process.cpuUsage(this.#cpu);
    const wallMs = performance.now() - this.#wallMs;
    return wallMs === 0 ? 0 : (user + system) / 1_000 / wallMs;
  }
}
