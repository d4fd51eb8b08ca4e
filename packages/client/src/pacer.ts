/** Part of the gateway's limits that is used: what was sent evenly may arrive in a bunch. */
const SHARE = 0.75;

/** Keeps what is sent within the rate that the gateway takes. A token bucket: two numbers and no timer. */
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

  /** So many more are sent; what is more than there is left has to be made up for. */
  spend(count = 1): void {
    this.#tokens -= count;
  }
}
