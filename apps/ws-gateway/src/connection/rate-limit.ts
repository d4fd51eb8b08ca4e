/** A rate, and how much of it may be used at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Returns the rate of two options. Undefined where `perSecond` is 0: there is no limit. */
export function rateOf(perSecond: number, burst: number): Rate | undefined {
  return perSecond === 0 ? undefined : { perSecond, burst };
}

/** A token bucket of two numbers, without a timer. */
export class RateLimit {
  #tokens: number;
  #atMs: number;

  /** Starts full. `nowMs` is a monotonic clock, here and in all methods. */
  constructor(rate: Rate, nowMs: number) {
    this.#tokens = rate.burst;
    this.#atMs = nowMs;
  }

  /** Takes `count` tokens if there are as many. Otherwise it takes none. */
  take(rate: Rate, nowMs: number, count = 1): 'ok' | 'rate_limited' {
    this.#refill(rate, nowMs);
    if (this.#tokens < count) return 'rate_limited';
    this.#tokens -= count;
    return 'ok';
  }

  /**
   * Takes `count` tokens if there is at least one. The rest is a debt, so that more than a burst
   * passes.
   */
  overdraw(rate: Rate, nowMs: number, count: number): 'ok' | 'rate_limited' {
    const verdict = this.take(rate, nowMs);
    if (verdict === 'ok') this.#tokens -= count - 1;
    return verdict;
  }

  /** Returns the tokens. Negative where there is a debt. */
  available(rate: Rate, nowMs: number): number {
    this.#refill(rate, nowMs);
    return this.#tokens;
  }

  /** Takes `count` tokens in any case, with a debt of at most `debtMax`. */
  spend(rate: Rate, nowMs: number, count: number, debtMax: number): void {
    this.#refill(rate, nowMs);
    this.#tokens = Math.max(this.#tokens - count, Math.min(this.#tokens, -debtMax));
  }

  /** Returns unused tokens to the bucket. A negative `count` takes tokens, and may cause a debt. */
  giveBack(rate: Rate, count: number): void {
    this.#tokens = Math.min(rate.burst, this.#tokens + count);
  }

  #refill(rate: Rate, nowMs: number): void {
    const refill = ((nowMs - this.#atMs) / 1_000) * rate.perSecond;
    this.#tokens = Math.min(rate.burst, this.#tokens + refill);
    this.#atMs = nowMs;
  }
}
