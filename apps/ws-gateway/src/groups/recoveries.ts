import type { Position } from '@groupcast/protocol';
import type { GapReason } from '@groupcast/protocol/schema';
import type { Counters } from '../admin/gateway-stats.ts';
import { ackEvent, gapEvent, recoveryAckEvent } from '../client-protocols/client-events.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import type { EncodedBatch } from './encoded-batch.ts';
import type { FanOut } from './fan-out.ts';
import type { Group } from './group.ts';
import type { HistoryPage, HubPort } from './hub-port.ts';
import type { Member } from './member.ts';
import type { WaitingJoins } from './pending-joins.ts';
import { type CatchUpDriver, Recovery } from './recovery.ts';
import { RecoveryBudget, type RecoveryBudgetOptions } from './recovery-budget.ts';

/** A member for whom more than this waits gets its next page later, and one that has come meanwhile is read again then. */
const QUEUE_BYTES_MAX = 64 * 1024;

export interface CatchUpsOptions extends RecoveryBudgetOptions {
  readonly hub: HubPort;
  /** Whoever missed more messages than this is given none of them. */
  readonly recoveryMessagesMax: number;
}

export interface CatchUpsParts {
  readonly counters: Counters;
  readonly waiting: WaitingJoins;
  readonly deliveries: FanOut;
  /** Undoes a join that cannot be answered, and says so to those who wait for it. */
  readonly undo: (group: Group, member: Member) => void;
}

/**
 * Gives members what they missed, page by page, and makes them live members in the very turn in which nothing lies between
 * that and what the group gets. Until then nothing is held back for them: what comes meanwhile is in the next page.
 */
export class Recoveries implements CatchUpDriver, Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #hub: HubPort;
  readonly #wheel: TimingWheel;
  readonly #messagesMax: number;
  readonly #budget: RecoveryBudget;
  readonly #parts: CatchUpsParts;
  /** Those to be looked at in the next tick. */
  #resting = new Set<Recovery>();
  /** Members who missed the same share one page, and so its frames. */
  readonly #batches = new WeakMap<HistoryPage, EncodedBatch>();
  #size = 0;

  constructor(options: CatchUpsOptions, parts: CatchUpsParts) {
    this.#hub = options.hub;
    this.#wheel = options.wheel;
    this.#messagesMax = options.recoveryMessagesMax;
    this.#budget = new RecoveryBudget(options);
    this.#parts = parts;
  }

  /** How many are under way. */
  get size(): number {
    return this.#size;
  }

  /** Begins for a member that has everything up to `since`. */
  start(group: Group, member: Member, since: Position, hasId: boolean): void {
    const catchUp = new Recovery(group, member, since, hasId, this);
    group.recoveries ??= new Map();
    group.recoveries.set(member, catchUp);
    this.#size += 1;
    if (group.state === 'live') this.#advance(catchUp);
  }

  /** The hub has said where the group stands. */
  groupIsLive(group: Group): void {
    for (const catchUp of group.recoveries?.values() ?? []) this.#advance(catchUp);
  }

  /** The member is no longer on its way into the group. */
  end(catchUp: Recovery): void {
    if (catchUp.isOver) return;
    const { group, member } = catchUp;
    catchUp.state = 'over';
    catchUp.read?.cancel();
    this.#resting.delete(catchUp);
    this.#size -= 1;
    group.recoveries?.delete(member);
    if (group.recoveries?.size === 0) group.recoveries = undefined;
  }

  pageArrived(catchUp: Recovery, page: HistoryPage): void {
    const { position, publications } = page;
    this.#budget.settle(catchUp.member, publications, !catchUp.answered);
    const reason = this.#unrecoveredReason(catchUp, page);
    if (reason !== undefined) {
      this.#giveUp(catchUp, position, reason);
      return;
    }
    // Whatever is sent may close the member, and so end this.
    if (!catchUp.answered) this.#answer(catchUp, position, undefined);
    if (catchUp.isOver) return;
    if (hasEnough(catchUp.member)) {
      this.#rest(catchUp);
      return;
    }
    this.#sendPage(catchUp, page);
    if (catchUp.isOver) return;
    catchUp.cursor = { epoch: position.epoch, offset: publications.at(-1)?.number ?? catchUp.cursor.offset };
    const isTop = catchUp.cursor.offset === position.offset;
    // At the top, and the group is somewhere else: its own recovery is under way.
    if (isTop && !catchUp.group.isAt(catchUp.cursor)) this.#rest(catchUp);
    else this.#advance(catchUp);
  }

  readFailed(catchUp: Recovery): void {
    const { group, member, hasId, answered } = catchUp;
    this.#budget.giveBack(member);
    // Whatever the hub said: to the client it is the hub that could not be asked, or nothing, because it is asked again.
    if (hasId && !answered) this.#parts.undo(group, member);
    else this.#rest(catchUp);
  }

  /** Once per tick while some rest. */
  expired(): void {
    const rested = this.#resting;
    this.#resting = new Set();
    for (const catchUp of rested) if (!catchUp.isOver) this.#advance(catchUp);
  }

  #advance(catchUp: Recovery): void {
    const { group, member, cursor, answered } = catchUp;
    if (group.isAt(cursor)) {
      this.#join(catchUp, undefined);
    } else if (answered && hasEnough(member)) {
      this.#rest(catchUp);
    } else if (!this.#budget.pay(member)) {
      if (!catchUp.isThrottled) this.#parts.counters.recoveriesThrottled += 1;
      catchUp.isThrottled = true;
      this.#rest(catchUp);
    } else {
      catchUp.state = 'reading';
      catchUp.isThrottled = false;
      catchUp.read = this.#hub.history(group.channel, cursor, catchUp, member);
    }
  }

  #rest(catchUp: Recovery): void {
    catchUp.state = 'resting';
    this.#resting.add(catchUp);
    if (this.wheelSlot === NOT_WAITING) this.#wheel.schedule(this, 1);
  }

  #unrecoveredReason(catchUp: Recovery, page: HistoryPage): GapReason | undefined {
    if (page.verdict !== 'recovered') return page.verdict;
    const missed = page.position.offset - catchUp.cursor.offset;
    return !catchUp.answered && missed > this.#messagesMax ? 'limit' : undefined;
  }

  #sendPage({ group, member }: Recovery, page: HistoryPage): void {
    const { deliveries, counters } = this.#parts;
    let batch = this.#batches.get(page);
    if (batch === undefined) {
      batch = deliveries.batchOf(group, page.publications);
      this.#batches.set(page, batch);
    }
    counters.recoveredMessages += deliveries.deliverTo(member, batch);
    this.#budget.sent(member, page.publications, batch.bytesMax);
  }

  /** The member does not get what it missed; it goes on from where the group stands. */
  #giveUp(catchUp: Recovery, position: Position, reason: GapReason): void {
    // A group that is behind may still bring what the client already has, or be of the old epoch.
    if (catchUp.group.hasReached(position)) this.#join(catchUp, reason);
    else this.#rest(catchUp);
  }

  /** Nothing lies between what the member has, or will never have, and what comes. */
  #join(catchUp: Recovery, reason: GapReason | undefined): void {
    const { group, member } = catchUp;
    // What waits for the others came before the position at which the member comes in.
    this.#parts.deliveries.deliverPending(group);
    if (catchUp.isOver) return;
    this.end(catchUp);
    group.members.add(member);
    if (!catchUp.answered) this.#answer(catchUp, group.position, reason);
    else if (reason !== undefined) this.#tellGap(catchUp, reason);
  }

  /** Says for the first time what becomes of the join. */
  #answer(catchUp: Recovery, position: Position, reason: GapReason | undefined): void {
    const { group, member, hasId } = catchUp;
    const { counters, waiting } = this.#parts;
    catchUp.answered = true;
    counters.recoveries[reason ?? 'recovered'] += 1;
    for (const { id, joined } of waiting.takeOf(group, member)) {
      const ack = ackEvent(id, group.name, position);
      member.sendEvent(joined ? recoveryAckEvent(ack, reason) : ack);
    }
    if (reason !== undefined && !hasId) this.#tellGap(catchUp, reason);
  }

  #tellGap({ group, member }: Recovery, reason: GapReason): void {
    const isTold = member.sendEvent(gapEvent(group.name, reason, group.position));
    if (isTold) this.#parts.counters.gaps += 1;
  }
}

function hasEnough(member: Member): boolean {
  return member.bufferedBytes > QUEUE_BYTES_MAX;
}
