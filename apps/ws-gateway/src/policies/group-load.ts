import { type Rate, RateLimit } from './rate-limit.ts';

/** What one group carries, as far as a worker sees it: what its clients send, and what the hub delivers. */
export class GroupLoad {
  readonly #rate: Rate;
  readonly #limit: RateLimit;
  /** Of what its clients have sent, what has not come back, in bytes. It is paid for. */
  #paid = 0;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#limit = new RateLimit(rate, nowMs);
  }

  /** A client here sends so many bytes. Whether the group has room for them. */
  take(bytes: number, nowMs: number): 'ok' | 'rate_limited' {
    const verdict = this.#limit.overdraw(this.#rate, nowMs, bytes);
    // What never comes back must not be held to the group's credit for ever.
    if (verdict === 'ok') this.#paid = Math.min(this.#paid + bytes, this.#rate.burst);
    return verdict;
  }

  /** The hub delivers so many bytes, whoever sent them. */
  delivered(bytes: number): void {
    const paid = Math.min(this.#paid, bytes);
    this.#paid -= paid;
    if (bytes > paid) this.#limit.spend(bytes - paid, this.#rate.burst);
  }
}
