/** Part of the gateway's limits that is used: what was sent evenly may arrive in a bunch. */
const SHARE = 0.75;

/** Keeps messages, or bytes, within a rate that the gateway accepts. A token bucket: two numbers and no timer. */
export class Pacer {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  /** `perSecond` and `burst` as the gateway said them; begins full. */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = (SHARE * perSecond) / 1_000;
    // At least one may be sent, ever: else nothing would.
    this.#burst = Math.max(1, SHARE * burst);
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  /** Whether one more may be sent now. */
  isReady(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    return this.#tokens >= 1;
  }

  /** Counts `count` more as sent. What exceeds the tokens that are left delays what follows. */
  spend(count: number): void {
    this.#tokens -= count;
  }
}
