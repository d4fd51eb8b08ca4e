/** How much of something is taken: at once, and in the long run. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** The rate that two options say; nothing where 0 per second says that there is no limit. */
export function rateOf(perSecond: number, burst: number): Rate | undefined {
  return perSecond === 0 ? undefined : { perSecond, burst };
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
    this.#refill(rate, nowMs);
    if (this.#tokens < count) return 'rate_limited';
    this.#tokens -= count;
    return 'ok';
  }

  /** The same, but as long as anything is left, more is taken: what is longer than the burst passes once, and has to be made up for. */
  overdraw(rate: Rate, nowMs: number, count: number): 'ok' | 'rate_limited' {
    const verdict = this.take(rate, nowMs);
    if (verdict === 'ok') this.#tokens -= count - 1;
    return verdict;
  }

  /** How many are within the rate now; less than 0 where more is owed. */
  available(rate: Rate, nowMs: number): number {
    this.#refill(rate, nowMs);
    return this.#tokens;
  }

  /** Takes `count` in any case. What there was not is owed, up to `debtMax`. */
  spend(rate: Rate, nowMs: number, count: number, debtMax: number): void {
    this.#refill(rate, nowMs);
    this.#tokens = Math.max(this.#tokens - count, Math.min(this.#tokens, -debtMax));
  }

  /** Gives back what was taken and not used. A negative count is what was used and not taken: nothing is within the rate until that is made up for. */
  giveBack(rate: Rate, count: number): void {
    this.#tokens = Math.min(rate.burst, this.#tokens + count);
  }

  #refill(rate: Rate, nowMs: number): void {
    const refill = ((nowMs - this.#atMs) / 1_000) * rate.perSecond;
    this.#tokens = Math.min(rate.burst, this.#tokens + refill);
    this.#atMs = nowMs;
  }
}
