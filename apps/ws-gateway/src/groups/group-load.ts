import { type Rate, RateLimit } from '../connection/rate-limit.ts';

/** Rates of a group, in bytes or in messages. */
export interface GroupRates {
  /** Rate of a group with members on this worker, which sees all messages of the group. */
  readonly seen: Rate;
  /** Rate of a group without members here: messages of other workers are unknown. */
  readonly unseen: Rate;
  /** Maximum debt that messages of other workers may cause. */
  readonly debtMax: number;
}

/**
 * Milliseconds in which a published message is delivered back. Later it is charged a second time.
 */
const ROUND_TRIP_MS = 1_000;

/** Load of one group: bytes that clients here publish, and bytes that the hub delivers. */
export class GroupLoad {
  readonly rates: GroupRates;
  readonly #limit: RateLimit;
  /**
   * Bytes charged on publish and not delivered back: since `#sinceMs`, and in the round trip
   * before.
   */
  #sent = 0;
  #sentBefore = 0;
  #sinceMs: number;

  constructor(rates: GroupRates, nowMs: number) {
    this.rates = rates;
    this.#limit = new RateLimit(rates.unseen, nowMs);
    this.#sinceMs = nowMs;
  }

  /** Charges `bytes` that a client publishes. Returns whether the rate allows them. */
  publish(bytes: number, nowMs: number, isSeen: boolean): 'ok' | 'rate_limited' {
    const rate = isSeen ? this.rates.seen : this.rates.unseen;
    if (this.#limit.overdraw(rate, nowMs, bytes) !== 'ok') return 'rate_limited';
    if (isSeen) {
      this.#forgetOld(nowMs);
      this.#sent += bytes;
    }
    return 'ok';
  }

  /** Charges `bytes` that the hub delivers, without those that were charged on publish. */
  delivered(bytes: number, nowMs: number): void {
    this.#forgetOld(nowMs);
    const before = Math.min(this.#sentBefore, bytes);
    const now = Math.min(this.#sent, bytes - before);
    this.#sentBefore -= before;
    this.#sent -= now;
    this.#limit.spend(this.rates.seen, nowMs, bytes - before - now, this.rates.debtMax);
  }

  /** Returns the used share of the burst. Above 1 where there is a debt. */
  usedShare(nowMs: number): number {
    const { unseen } = this.rates;
    return 1 - this.#limit.available(unseen, nowMs) / unseen.burst;
  }

  /** Drops old bytes that were never delivered back, so that other messages are charged. */
  #forgetOld(nowMs: number): void {
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs < ROUND_TRIP_MS) return;
    this.#sentBefore = elapsedMs < 2 * ROUND_TRIP_MS ? this.#sent : 0;
    this.#sent = 0;
    this.#sinceMs = nowMs;
  }
}
