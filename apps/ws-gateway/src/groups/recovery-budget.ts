import { limits, type native } from '@groupcast/protocol';
import { type Rate, RateLimit } from '../connection/rate-limit.ts';
import type { TimingWheel } from '../timing-wheel.ts';
import type { Member } from './member.ts';

/** What a read may bring, in bytes, unless it is a single message: it is paid for before. */
const PAGE_BYTES = limits.HISTORY_PAGE_BYTES_MAX;

/** What a message counts beside its payload, in bytes: about its envelope. */
const MESSAGE_OVERHEAD_BYTES = 128;

export interface RecoveryBudgetOptions {
  readonly wheel: TimingWheel;
  /** Bytes that the recoveries of one connection may bring each second in the long run. */
  readonly recoveryBytesPerSecond: number;
  /** The same at once. */
  readonly recoveryBytesBurst: number;
}

/**
 * What recoveries cost: they bring a client much more than it has sent. Each read is paid for as a whole page in advance, and what it did not
 * bring is given back; but for the first one of each recovery, so that to join and leave again is not for nothing. Whoever cannot pay waits.
 */
export class RecoveryBudget {
  readonly #wheel: TimingWheel;
  readonly #rate: Rate;

  constructor(options: RecoveryBudgetOptions) {
    this.#wheel = options.wheel;
    this.#rate = { perSecond: options.recoveryBytesPerSecond, burst: options.recoveryBytesBurst };
  }

  /** Pays for a read. Returns whether the member could. */
  pay(member: Member): boolean {
    const { nowMs } = this.#wheel;
    member.recoveryBytes ??= new RateLimit(this.#rate, nowMs);
    return member.recoveryBytes.take(this.#rate, nowMs, PAGE_BYTES) === 'ok';
  }

  /** A read that was paid for has brought these. */
  settle(member: Member, publications: readonly native.Publication[], isFirst: boolean): void {
    const bytes = bytesOf(publications);
    const price = isFirst ? Math.max(bytes, PAGE_BYTES) : bytes;
    member.recoveryBytes?.giveBack(this.#rate, PAGE_BYTES - price);
  }

  /** Frames of so many bytes were made of publications that `settle` has counted. Escapes can make them several times longer. */
  sent(member: Member, publications: readonly native.Publication[], bytes: number): void {
    const excess = bytes - bytesOf(publications);
    if (excess > 0) member.recoveryBytes?.giveBack(this.#rate, -excess);
  }

  /** A read that was paid for has brought nothing, which is not the member's fault. */
  giveBack(member: Member): void {
    member.recoveryBytes?.giveBack(this.#rate, PAGE_BYTES);
  }
}

function bytesOf(publications: readonly native.Publication[]): number {
  let bytes = 0;
  for (const { payload } of publications) bytes += payload.length + MESSAGE_OVERHEAD_BYTES;
  return bytes;
}
