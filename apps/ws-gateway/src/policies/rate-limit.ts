/** How much of something is taken: at once, and in the long run. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** A token bucket. It holds two numbers and no timer. */
export class RateLimit {
  #tokens: number;
  #atMs: number;

  /** Begins full. `nowMs` is a monotonic clock, as in `take`. */
  constructor(rate: Rate, nowMs: number) {
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  /** Whether one more, or `count` more, is within the rate. What is not costs nothing. */
  take(rate: Rate, nowMs: number, count = 1): 'ok' | 'rate_limited' {
    const refill = ((nowMs - this.#atMs) / 1_000) * rate.perSecond;
    this.#tokens = Math.min(rate.burst, this.#tokens + refill);
    this.#atMs = nowMs;
    if (this.#tokens < count) return 'rate_limited';
    this.#tokens -= count;
    return 'ok';
  }

  /** Gives back what was taken and not used. A negative count is what was used and not taken: nothing is within the rate until that is made up for. */
  giveBack(rate: Rate, count: number): void {
    this.#tokens = Math.min(rate.burst, this.#tokens + count);
  }
}
