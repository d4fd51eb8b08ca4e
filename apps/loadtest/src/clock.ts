const SAMPLES = 20;

/**
 * Time in microseconds since an instant that all processes of a run share. The clock is the
 * machine's monotonic one, so a process can subtract the stamps of another.
 */
export class Clock {
  readonly #offsetUs: number;

  /**
   * `epochNs` is the value of `process.hrtime.bigint()`, in any process of this machine, at time
   * zero.
   */
  constructor(epochNs: bigint) {
    // The clocks are read one after the other; the pair that was read fastest is the most precise.
    let offsetUs = Number.NEGATIVE_INFINITY;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const us = Number(process.hrtime.bigint() - epochNs) / 1_000;
      offsetUs = Math.max(offsetUs, us - performance.now() * 1_000);
    }
    this.#offsetUs = offsetUs;
  }

  nowUs(): number {
    return performance.now() * 1_000 + this.#offsetUs;
  }
}
