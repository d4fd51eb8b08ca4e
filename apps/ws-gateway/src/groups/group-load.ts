import { type Rate, RateLimit } from '../connection/rate-limit.ts';

/** What a group may carry. */
export interface GroupRates {
  /** Of a group with members on this worker, which sees all that the group carries. */
  readonly seen: Rate;
  /** Of a group without: what other workers let through is unknown here. */
  readonly unseen: Rate;
  /** Bytes that others may bring a group to owe. */
  readonly debtMax: number;
}

/** Time in which what a client has sent comes back, or is charged a second time. */
const ROUND_TRIP_MS = 1_000;

/** What one group carries, as far as a worker sees it, in bytes that members get: what clients here send, and what the hub delivers. */
export class GroupLoad {
  readonly #rates: GroupRates;
  readonly #limit: RateLimit;
  /** Bytes that were charged when they were sent, and have not come back: since `#sinceMs`, and in the round trip before. */
  #sent = 0;
  #sentBefore = 0;
  #sinceMs: number;

  constructor(rates: GroupRates, nowMs: number) {
    this.#rates = rates;
    this.#limit = new RateLimit(rates.unseen, nowMs);
    this.#sinceMs = nowMs;
  }

  /** A client here sends so many bytes, which come back where the group is seen. Whether the group has room for them. */
  send(bytes: number, nowMs: number, isSeen: boolean): 'ok' | 'rate_limited' {
    const rate = isSeen ? this.#rates.seen : this.#rates.unseen;
    if (this.#limit.overdraw(rate, nowMs, bytes) !== 'ok') return 'rate_limited';
    if (isSeen) {
      this.#forgetOld(nowMs);
      this.#sent += bytes;
    }
    return 'ok';
  }

  /** Charges what the hub delivers, but for what was charged when it was sent. */
  delivered(bytes: number, nowMs: number): void {
    this.#forgetOld(nowMs);
    const before = Math.min(this.#sentBefore, bytes);
    const now = Math.min(this.#sent, bytes - before);
    this.#sentBefore -= before;
    this.#sent -= now;
    this.#limit.spend(this.#rates.seen, nowMs, bytes - before - now, this.#rates.debtMax);
  }

  /** Part of the burst that is used up; more than 1 where bytes are owed. */
  usedShare(nowMs: number): number {
    const { unseen } = this.#rates;
    return 1 - this.#limit.available(unseen, nowMs) / unseen.burst;
  }

  /** What was sent and never came, or came as fewer bytes, must not be to the credit of others. */
  #forgetOld(nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < ROUND_TRIP_MS) return;
    this.#sentBefore = elapsedMs < 2 * ROUND_TRIP_MS ? this.#sent : 0;
    this.#sent = 0;
    this.#sinceMs = nowMs;
  }
}
