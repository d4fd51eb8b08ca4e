import { limits, type native } from '@groupcast/protocol';
import { type Rate, RateLimit } from '../connection/rate-limit.ts';
import type { TimingWheel } from '../timing-wheel.ts';
import type { Member } from './member.ts';

/** Bytes that a read costs in advance: the maximum of a page, unless it is a single message. */
const PAGE_BYTES = limits.HISTORY_PAGE_BYTES_MAX;

/** Bytes that a message counts beside its payload, approximately those of its envelope. */
const MESSAGE_OVERHEAD_BYTES = 128;

export interface RecoveryBudgetOptions {
  readonly wheel: TimingWheel;
  /** Bytes per second of all recoveries of one connection. */
  readonly recoveryBytesPerSecond: number;
  /** Burst of these bytes. */
  readonly recoveryBytesBurst: number;
}

/**
 * Limits the recoveries of each connection, because they cost far more than the command that begins
 * them. A read costs a whole page in advance. The unused part is refunded, except for the first
 * read of a recovery: repeated joins must have a price. Recoveries beyond the limit wait.
 */
export class RecoveryBudget {
  readonly #wheel: TimingWheel;
  readonly #rate: Rate;

  constructor(options: RecoveryBudgetOptions) {
    this.#wheel = options.wheel;
    this.#rate = { perSecond: options.recoveryBytesPerSecond, burst: options.recoveryBytesBurst };
  }

  /** Pays for a read. Returns whether the budget of the member allows it. */
  pay(member: Member): boolean {
    const { nowMs } = this.#wheel;
    member.recoveryBytes ??= new RateLimit(this.#rate, nowMs);
    return member.recoveryBytes.take(this.#rate, nowMs, PAGE_BYTES) === 'ok';
  }

  /** Refunds the unused part of a read. `isFirst`: it was the first one of its recovery. */
  settle(member: Member, publications: readonly native.Publication[], isFirst: boolean): void {
    const bytes = bytesOf(publications);
    const price = isFirst ? Math.max(bytes, PAGE_BYTES) : bytes;
    member.recoveryBytes?.giveBack(this.#rate, PAGE_BYTES - price);
  }

  /**
   * Charges for frames that are longer than `settle` has counted: escapes can multiply their bytes.
   */
  sent(member: Member, publications: readonly native.Publication[], bytes: number): void {
    const excess = bytes - bytesOf(publications);
    if (excess > 0) member.recoveryBytes?.giveBack(this.#rate, -excess);
  }

  /** Refunds a read that failed, which is not the member's fault. */
  refund(member: Member): void {
    member.recoveryBytes?.giveBack(this.#rate, PAGE_BYTES);
  }
}

function bytesOf(publications: readonly native.Publication[]): number {
  let bytes = 0;
  for (const { payload } of publications) bytes += payload.length + MESSAGE_OVERHEAD_BYTES;
  return bytes;
}
