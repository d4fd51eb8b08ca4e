/** Used share of the gateway's limits: messages that are sent evenly can arrive in a burst. */
const SHARE = 0.75;

/** Keeps messages, or bytes, within a rate of the gateway. A token bucket without a timer. */
export class Pacer {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  /** Takes `perSecond` and `burst` of the gateway. Starts with the whole burst. */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = (SHARE * perSecond) / 1_000;
    // With less than one token nothing could ever be sent.
    this.#burst = Math.max(1, SHARE * burst);
    this.#tokens = this.#burst;
    this.#atMs = nowMs;
  }

  /** Returns whether one more can be sent now. */
  isReady(nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    return this.#tokens >= 1;
  }

  /** Spends `count` tokens. A debt delays the next ones. */
  spend(count: number): void {
    this.#tokens -= count;
  }
}
