import type { ErrorCode, Position } from '@groupcast/protocol';
import type { CommandId, GapReason } from '@groupcast/protocol/schema';
import type { Counters } from '../admin/gateway-stats.ts';
import {
  type AckEvent,
  ackEvent,
  gapEvent,
  joinedEvent,
  recoveryAckEvent,
} from '../client-protocols/client-events.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import type { FanOut } from './fan-out.ts';
import type { Group } from './group.ts';
import type { HistoryAnswer, HistoryFrom, HistoryPage, HistoryRead, HubPort } from './hub-port.ts';
import type { Member } from './member.ts';
import type { MemberMap } from './member-map.ts';
import type { RecoveryBudget } from './recovery-budget.ts';
import { rejectCommand } from './reject-command.ts';

/** Buffered bytes above which a member gets its next page later. That page is read again then. */
const BUFFERED_BYTES_MAX = 64 * 1024;

const RECOVERY_LIMIT_REACHED = 'Recovery rate limit reached for this connection. Join again later.';

/** Dependencies that all joins of a worker share. */
export interface JoinDeps {
  readonly hub: HubPort;
  readonly wheel: TimingWheel;
  readonly counters: Counters;
  readonly fanOut: FanOut;
  readonly budget: RecoveryBudget;
  /** Joins that are not over. Each join removes itself. */
  readonly joins: MemberMap<Join>;
  /** Ticks after which a pending command is rejected. */
  readonly joinTicks: number;
  /** Maximum messages of a recovery. */
  readonly recoveryMessagesMax: number;
  /** Removes the member from the group, and rejects all pending commands of the join. */
  undo(join: Join, code: ErrorCode, sentence?: string): void;
  /**
   * Removes the member from the group if it may no longer join it, and tells it. Returns whether it
   * has removed it.
   */
  removeIfForbidden(join: Join): boolean;
}

/** A command that gets its reply when the join ends. */
interface PendingCommand {
  readonly id: CommandId;
  /** Whether this command brought the member into the group. The join is undone with it. */
  readonly isFirst: boolean;
  readonly deadlineTick: number;
}

/**
 * A join that is not finished: its pending commands, and the recovery of its member.
 *
 *     subscribing -> over                         (without recovery)
 *     subscribing -> reading <-> resting -> over  (with recovery)
 *
 * - `subscribing`: the hub has not told the position of the group.
 * - `reading`: the hub reads a page of history.
 * - `resting`: until the next tick. The member's buffer or budget is full, or the group is behind.
 * - `over`: the member is live, or it has left. A live member gets every new message.
 *
 * No message is held back during a recovery: new ones are in the next page. The member becomes live
 * in the event-loop turn in which it has reached the position of the group.
 */
export class Join implements HistoryAnswer, Timed {
  wheelSlot: number = NOT_WAITING;
  readonly group: Group;
  readonly member: Member;
  /** Whether the member gets earlier messages before it is live. */
  readonly isRecovery: boolean;
  readonly #deps: JoinDeps;
  /** Whether the server began it, and the client does not know yet. */
  readonly #isByServer: boolean;
  #state: 'subscribing' | 'reading' | 'resting' | 'over' = 'subscribing';
  #commands: PendingCommand[] = [];
  /** Position up to which a member in recovery has all messages. */
  #position: Position;
  /** Number of the newest messages to read first. Undefined once the position is known. */
  #last: number | undefined;
  /** Number of these messages, once it is known. */
  #count: number | undefined;
  /** Whether the client knows whether it gets what it missed. */
  #isAnswered = false;
  /** Whether it rests because the recovery budget of its connection is used up. */
  #isThrottled = false;
  /** Latest read. */
  #read: HistoryRead | undefined;

  /** With `from` the member gets the messages from there on first. */
  constructor(
    group: Group,
    member: Member,
    from: HistoryFrom | undefined,
    deps: JoinDeps,
    isByServer = false,
  ) {
    this.group = group;
    this.member = member;
    this.isRecovery = from !== undefined;
    this.#position = from === undefined || 'last' in from ? group.position : from;
    if (from !== undefined && 'last' in from) this.#last = Math.min(from.last, deps.recoveryMessagesMax);
    this.#deps = deps;
    this.#isByServer = isByServer;
    deps.joins.set(group, member, this);
  }

  /**
   * Position of the member for the ack of another join. Undefined while such a join has to wait.
   */
  get position(): Position | undefined {
    return this.#isAnswered ? this.#position : undefined;
  }

  /** Adds a command that gets its reply when the join ends. */
  add(id: CommandId, isFirst: boolean): void {
    const { joinTicks, wheel } = this.#deps;
    this.#commands.push({ id, isFirst, deadlineTick: wheel.now + joinTicks });
    this.member.pendingCommands += 1;
    // An expiry that is set comes first. To set it again would move one that is due in this tick.
    if (this.wheelSlot === NOT_WAITING) this.#schedule();
  }

  /** Continues: the hub has told the position of the group. */
  groupIsLive(): void {
    if (this.isRecovery) {
      this.#advance();
      return;
    }
    const { group, member } = this;
    this.end();
    if (this.#isByServer) member.sendEvent(joinedEvent(group.name, group.position));
    for (const { id } of this.#takeCommands()) member.sendEvent(ackEvent(id, group.name, group.position));
  }

  /** Ends the join in any state. Its pending commands need a reply, unless the member has gone. */
  end(): void {
    this.#state = 'over';
    this.#read?.cancel();
    this.#deps.wheel.cancel(this);
    this.#deps.joins.delete(this.group, this.member);
  }

  /** Removes and returns the ids of the pending commands, in the order of the commands. */
  takeIds(): readonly CommandId[] {
    return this.#takeCommands().map(({ id }) => id);
  }

  /** Receives a page of history. */
  page(page: HistoryPage): void {
    if (this.#isOver) return;
    const { publications } = page;
    const position = this.group.inOwnEpoch(page.position, page.epochIs, this.#position.epoch);
    this.#deps.budget.settle(this.member, publications, !this.#isAnswered);
    if (this.#deps.removeIfForbidden(this)) return;
    if (this.#last !== undefined && page.verdict === 'recovered') this.#startAt(page);
    const reason = this.#unrecoveredReason(page);
    if (reason !== undefined) {
      this.#giveUp(position, reason);
      return;
    }
    // Each write may close the member, and so end the join.
    if (!this.#isAnswered) this.#answer(position, undefined);
    if (this.#isOver) return;
    if (this.#isBufferFull) {
      this.#rest();
      return;
    }
    this.#deliver(page);
    if (this.#isOver) return;
    this.#position = { epoch: position.epoch, offset: publications.at(-1)?.number ?? this.#position.offset };
    const isTop = this.#position.offset === position.offset;
    // The history has nothing more, and the group is elsewhere: the hub client is recovering it.
    if (isTop && !this.group.isAt(this.#position)) this.#rest();
    else this.#advance();
  }

  /** Receives the failure of a read. */
  failed(): void {
    if (this.#isOver) return;
    this.#deps.budget.refund(this.member);
    // For any error of the hub the client learns that the hub is unavailable, or the read is
    // retried.
    if (this.#isAwaited && !this.#isAnswered) this.#deps.undo(this, 'hub_unavailable');
    else this.#rest();
  }

  /** Rejects commands that are overdue, and continues after a rest. */
  expired(): void {
    const { now } = this.#deps.wheel;
    const overdue = this.#commands.filter(({ deadlineTick }) => deadlineTick <= now).length;
    if (overdue > 0) this.#reject(overdue);
    if (this.#isOver) return;
    if (this.#state === 'resting') this.#advance();
    if (!this.#isOver) this.#schedule();
  }

  get #isOver(): boolean {
    return this.#state === 'over';
  }

  /** Whether the command that brought the member in is pending. It is always the first one. */
  get #isAwaited(): boolean {
    return this.#commands[0]?.isFirst === true;
  }

  get #isBufferFull(): boolean {
    return this.member.bufferedBytes > BUFFERED_BYTES_MAX;
  }

  #advance(): void {
    const { budget, counters, hub } = this.#deps;
    if (this.#deps.removeIfForbidden(this)) return;
    if (this.#last === 0) {
      // The operator allows no replay.
      this.#count = 0;
      this.#position = this.group.position;
      this.#goLive(undefined);
    } else if (this.#last === undefined && this.group.isAt(this.#position)) {
      this.#goLive(undefined);
    } else if (this.#isAnswered && this.#isBufferFull) {
      this.#rest();
    } else if (!budget.pay(this.member)) {
      if (!this.#isThrottled) counters.recoveriesThrottled += 1;
      this.#isThrottled = true;
      this.#rest();
    } else {
      this.#state = 'reading';
      this.#isThrottled = false;
      const from = this.#last === undefined ? this.#position : { last: this.#last };
      this.#read = hub.history(this.group.channel, from, this, this.member);
    }
  }

  #rest(): void {
    this.#state = 'resting';
    this.#schedule();
  }

  #schedule(): void {
    const { wheel } = this.#deps;
    const [first] = this.#commands;
    if (this.#state === 'resting') wheel.schedule(this, 1);
    else if (first !== undefined) wheel.schedule(this, first.deadlineTick - wheel.now);
  }

  /** Begins with the first message of a page of the newest ones. */
  #startAt({ position, publications }: HistoryPage): void {
    const [first] = publications;
    const offset = first === undefined ? position.offset : first.number - 1;
    this.#position = { epoch: position.epoch, offset };
    this.#count = position.offset - offset;
    this.#last = undefined;
  }

  #unrecoveredReason({ verdict, position }: HistoryPage): GapReason | undefined {
    if (verdict !== 'recovered') return verdict;
    const missed = position.offset - this.#position.offset;
    return !this.#isAnswered && missed > this.#deps.recoveryMessagesMax ? 'limit' : undefined;
  }

  #deliver(page: HistoryPage): void {
    const { budget, fanOut } = this.#deps;
    const bytes = fanOut.deliverPage(this.group, this.member, page);
    budget.sent(this.member, page.publications, bytes);
  }

  /** Ends the recovery without what the member missed. */
  #giveUp(position: Position, reason: GapReason): void {
    // A group that is behind may still deliver what the client has, or messages of the old epoch.
    if (this.group.hasReached(position)) this.#goLive(reason);
    else this.#rest();
  }

  /**
   * Makes the member live: it has all messages up to the position of the group, or never gets them.
   */
  #goLive(reason: GapReason | undefined): void {
    const { group, member } = this;
    // Pending messages of the group are before the position at which the member becomes live.
    this.#deps.fanOut.deliverPending(group);
    if (this.#isOver) return;
    this.end();
    group.members.add(member);
    if (!this.#isAnswered) this.#answer(group.position, reason);
    else if (reason !== undefined) this.#sendGap(reason);
  }

  /** Tells the client whether it gets what it missed. */
  #answer(position: Position, reason: GapReason | undefined): void {
    const { group, member } = this;
    const isAwaited = this.#isAwaited;
    this.#isAnswered = true;
    if (this.#count === undefined) this.#deps.counters.recoveries[reason ?? 'recovered'] += 1;
    if (this.#isByServer) member.sendEvent(joinedEvent(group.name, position, { reason }));
    // Another join is told what the member has: the messages after that follow.
    const reached = reason === undefined ? this.#position : position;
    for (const { id, isFirst } of this.#takeCommands()) {
      if (isFirst) member.sendEvent(this.#firstAck(ackEvent(id, group.name, position), reason));
      else member.sendEvent(ackEvent(id, group.name, reached));
    }
    if (reason !== undefined && !isAwaited && !this.#isByServer) this.#sendGap(reason);
  }

  #firstAck(ack: AckEvent, reason: GapReason | undefined): AckEvent {
    return this.#count === undefined ? recoveryAckEvent(ack, reason) : { ...ack, count: this.#count };
  }

  #sendGap(reason: GapReason): void {
    const { group, member } = this;
    if (member.sendEvent(gapEvent(group.name, reason, group.position))) this.#deps.counters.gaps += 1;
  }

  /** Rejects the first `count` commands. The join ends with the command that began it. */
  #reject(count: number): void {
    const code = this.#isThrottled ? 'rate_limited' : 'hub_unavailable';
    const sentence = this.#isThrottled ? RECOVERY_LIMIT_REACHED : undefined;
    if (this.#isAwaited) {
      this.#deps.undo(this, code, sentence);
      return;
    }
    if (!this.isRecovery && !this.#isByServer && count === this.#commands.length) this.end();
    for (const { id } of this.#takeCommands(count))
      rejectCommand(this.#deps.counters, this.member, id, code, sentence);
  }

  #takeCommands(count: number = this.#commands.length): readonly PendingCommand[] {
    this.member.pendingCommands -= count;
    return this.#commands.splice(0, count);
  }
}
