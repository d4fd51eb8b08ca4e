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

  /** Whether one more is within the rate. */
  take(rate: Rate, nowMs: number): 'ok' | 'rate_limited' {
    const refill = ((nowMs - this.#atMs) / 1_000) * rate.perSecond;
    this.#tokens = Math.min(rate.burst, this.#tokens + refill);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return 'rate_limited';
    this.#tokens -= 1;
    return 'ok';
  }
}
