const SAMPLES = 20;

/**
 * Time in microseconds since an instant that all processes of a run agree on. The clock behind it is the machine's monotonic
 * one, so what one process stamps another may subtract.
 */
export class Clock {
  readonly #offsetUs: number;

  /** `epochNs` is what `process.hrtime.bigint()` said, in any process of this machine, at the instant that counts as zero. */
  constructor(epochNs: bigint) {
    // The two clocks are read one after the other; the pair that was read the quickest is the truest.
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
