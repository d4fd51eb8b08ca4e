import {
  channelOfGroup,
  type ErrorCode,
  type native,
  type Position,
  type ProtocolError,
} from '@groupcast/protocol';
import { CommandError, type CommandId } from '@groupcast/protocol/schema';
import type { Counters } from '../admin/gateway-stats.ts';
import { ackEvent, errorEvent, gapEvent, groupErrorEvent } from '../client-protocols/client-events.ts';
import type { GatewayOptions } from '../options.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import { FanOut } from './fan-out.ts';
import type { Group } from './group.ts';
import { GroupLoads } from './group-loads.ts';
import type { HubSubscriber, LossReason } from './hub-port.ts';
import type { Member } from './member.ts';
import { type MemberWait, waitCount } from './member-wait.ts';
import { WaitingJoin, WaitingJoins } from './pending-joins.ts';
import { Recoveries } from './recoveries.ts';
import { SubscribedGroups } from './subscribed-groups.ts';

const NO_WAITS: ReadonlySet<MemberWait> = new Set();

const RECOVERY_LIMIT_REACHED = 'Recovery rate limit reached for this connection. Join again later.';

const JOINS_WAIT = 'Too many joins of this connection wait for the hub. Join again later.';

const LEFT_MEANWHILE = 'The group was left before the hub had confirmed the join.';

/**
 * The groups that have members here: who is in which, and the way of a publication to them. The first member subscribes at
 * the hub; some time after the last one has gone the group is unsubscribed and nothing of it is left.
 *
 * A join without a position makes a live member at once, which gets what comes from the moment on that the hub has said
 * where the group stands. One with a position waits for the hub, catches up, and is a live member then. Until it is over a
 * catch-up counts as a membership in every other respect.
 */
export class Groups implements HubSubscriber, Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #wheel: TimingWheel;
  readonly #counters: Counters;
  readonly #groupsMax: number;
  readonly #joinTicks: number;
  readonly #followed: SubscribedGroups;
  readonly #deliveries: FanOut;
  readonly #catchUps: Recoveries;
  readonly #waiting = new WaitingJoins();
  /** Nothing where groups have no limit. */
  readonly #loads: GroupLoads | undefined;

  constructor(options: GatewayOptions, counters: Counters) {
    this.#wheel = options.wheel;
    this.#counters = counters;
    this.#groupsMax = options.groupsPerConnectionMax;
    // What is due in a tick is done in the course of it.
    this.#joinTicks = Math.max(1, options.wheel.ticksOf(options.joinMs) - 1);
    this.#followed = new SubscribedGroups(options, this);
    this.#loads = options.groupBytesPerSecond === 0 ? undefined : new GroupLoads(options);
    this.#deliveries = new FanOut(options.log, counters, this.#loads);
    this.#catchUps = new Recoveries(options, {
      counters,
      waiting: this.#waiting,
      deliveries: this.#deliveries,
      undo: (group, member) => this.#undo(group, member),
    });
  }

  /** How many are followed at the hub. */
  get size(): number {
    return this.#followed.size;
  }

  /** How many joins are being given what they missed. */
  get recovering(): number {
    return this.#catchUps.size;
  }

  /**
   * Puts a member into a group, with `since` after it was given what came after that position. With an `id` it is told the
   * position after which it gets everything, and whether it gets what it missed, or, when the hub does not say it in time, that
   * the join was undone. Throws CommandError when it is in as many groups as it may be.
   */
  join(member: Member, name: string, id: CommandId | undefined, since?: Position): void {
    const channel = channelOfGroup(name);
    // What came before the join is not for the one who joins, and is in front of the ack of one who joins again. A flush may close
    // members, this one as well, and so unfollow groups, this one as well: the group is looked up after it.
    this.deliverPending(name);
    if (!member.isOpen) return;
    const known = this.#followed.find(channel);
    const isIn = known?.has(member) === true;
    if (!isIn && member.memberships.length >= this.#groupsMax) {
      throw new CommandError('group_limit', undefined, id);
    }
    const mustWait = !mayAnswer(known, member, since);
    if (id !== undefined && mustWait && waitingJoinsOf(member) >= this.#groupsMax) {
      this.#refuseJoin(member, id, 'hub_unavailable', JOINS_WAIT);
      return;
    }
    const group = known ?? this.#followed.subscribe(name, channel);
    if (!isIn) this.#enter(group, member, since === undefined);
    if (id !== undefined && mustWait) this.#await(group, member, id, !isIn);
    else if (id !== undefined)
      member.sendEvent(ackEvent(id, name, group.recoveries?.get(member)?.cursor ?? group.position));
    if (!isIn && since !== undefined) this.#catchUps.start(group, member, since, id !== undefined);
  }

  /** Takes a member out of a group, or finds that it is not in it; with an `id` it is told so either way. */
  leave(member: Member, name: string, id: CommandId | undefined): void {
    const group = this.#followed.find(channelOfGroup(name));
    if (group?.has(member) === true) {
      // What came before is still for the one who leaves.
      this.#deliveries.deliverPending(group);
      // A flush may end the membership.
      if (group.has(member))
        this.#refuseJoins(member, this.#remove(group, member), 'hub_unavailable', LEFT_MEANWHILE);
    }
    if (id !== undefined) member.sendEvent(ackEvent(id, name));
  }

  /** Takes a member that has gone, or must go, out of all its groups; it waits for nothing any more, and is told nothing. */
  leaveAll(member: Member): void {
    for (const group of member.memberships.splice(0)) this.#remove(group, member);
    for (const wait of member.waits ?? NO_WAITS) wait.cancel();
    this.#followed.forget(member);
  }

  /** A client here sends to a group what members get as so many bytes. Whether the group may carry them. */
  charge(name: string, bytes: number): 'ok' | 'rate_limited' {
    if (this.#loads === undefined) return 'ok';
    const channel = channelOfGroup(name);
    return this.#loads.send(channel, this.#followed.find(channel), bytes, performance.now());
  }

  /** Writes to the members here what has come for a group, so that what is written next comes behind it. */
  deliverPending(name: string): void {
    const group = this.#followed.find(channelOfGroup(name));
    if (group !== undefined) this.#deliveries.deliverPending(group);
  }

  /** Where a group stands that is followed here, with all up to there written to its members; nothing where it is not known. */
  positionOf(name: string): Position | undefined {
    const group = this.#followed.find(channelOfGroup(name));
    if (group?.state !== 'live') return undefined;
    this.#deliveries.deliverPending(group);
    return group.position;
  }

  /** Takes a publication from the hub; members get it at the end of this turn. */
  deliver(publication: native.Publication): void {
    this.#counters.publications += 1;
    const group = this.#followed.find(publication.channel);
    if (group === undefined || group.state !== 'live') {
      this.#counters.dropped.not_followed += 1;
      return;
    }
    if (publication.number <= group.offset) {
      this.#counters.dropped.repeated += 1;
      return;
    }
    group.offset = publication.number;
    this.#deliveries.deliver(group, publication);
  }

  /** The hub says where a channel stands. */
  subscribed(subject: native.Subject, position: Position): void {
    const group = subject.prefix ? undefined : this.#followed.find(subject.name);
    if (group === undefined || group.state === 'live') return;
    group.state = 'live';
    group.moveTo(position);
    for (const member of group.members) {
      for (const { id } of this.#waiting.takeOf(group, member))
        member.sendEvent(ackEvent(id, group.name, position));
    }
    this.#catchUps.groupIsLive(group);
  }

  /** Publications of a channel are lost to all its members here. Those that catch up find it out by themselves. */
  lost(subject: native.Subject, position: Position, reason: LossReason): void {
    const group = subject.prefix ? undefined : this.#followed.find(subject.name);
    if (group?.state !== 'live') return;
    this.#deliveries.deliverPending(group);
    group.moveTo(position);
    const event = gapEvent(group.name, reason, position);
    for (const member of group.members) {
      if (member.sendEvent(event)) this.#counters.gaps += 1;
    }
  }

  /** The hub refuses a channel, and nothing comes of it: nobody is in the group, or not any more, and all who were are told. */
  refused(subject: native.Subject, error: ProtocolError): void {
    const group = subject.prefix ? undefined : this.#followed.find(subject.name);
    if (group === undefined) return;
    // Whatever else the hub said: to a client it is the hub that could not be asked.
    const code = error.code === 'channel_limit' ? 'channel_limit' : 'hub_unavailable';
    this.#deliveries.deliverPending(group);
    for (const member of [...group.members, ...(group.recoveries?.keys() ?? [])]) {
      if (group.has(member)) this.#expel(group, member, code);
    }
    this.#followed.unsubscribe(group);
  }

  /** Once per tick while joins wait: takes out again whom the hub did not let in in time. */
  expired(): void {
    for (const { group, member, joins } of this.#waiting.takeExpired(this.#wheel.now)) {
      const isThrottled = group.recoveries?.get(member)?.isThrottled === true;
      const code = isThrottled ? 'rate_limited' : 'hub_unavailable';
      const sentence = isThrottled ? RECOVERY_LIMIT_REACHED : undefined;
      this.#refuseJoins(member, joins, code, sentence);
      const isIn = joins.some(({ joined }) => joined) && group.has(member);
      if (isIn) this.#refuseJoins(member, this.#remove(group, member), code, sentence);
    }
    this.#scheduleSweep();
  }

  /** Unsubscribes every group at once. Members must have gone. */
  close(): void {
    this.#followed.close();
    this.#wheel.cancel(this);
    this.#wheel.cancel(this.#catchUps);
  }

  #enter(group: Group, member: Member, isLive: boolean): void {
    member.memberships.push(group);
    if (isLive) group.members.add(member);
    this.#followed.cancelLinger(group);
    this.#counters.joins += 1;
  }

  #await(group: Group, member: Member, id: CommandId, joined: boolean): void {
    this.#waiting.add(new WaitingJoin(group, member, id, joined, this.#wheel.now + this.#joinTicks));
    this.#scheduleSweep();
  }

  /** Answers with the joins of the member that waited for the hub: they will not happen. */
  #remove(group: Group, member: Member): readonly WaitingJoin[] {
    const catchUp = group.recoveries?.get(member);
    if (catchUp !== undefined) this.#catchUps.end(catchUp);
    group.members.delete(member);
    const index = member.memberships.indexOf(group);
    if (index >= 0) member.memberships.splice(index, 1);
    this.#counters.leaves += 1;
    if (group.isEmpty) {
      group.takePending();
      this.#followed.linger(group, member);
    }
    return this.#waiting.takeOf(group, member);
  }

  /** Takes a member out again that could not be let in, and answers all that it asked of the group meanwhile. */
  #undo(group: Group, member: Member): void {
    this.#refuseJoins(member, this.#remove(group, member), 'hub_unavailable');
  }

  /** Takes a member out of a group that is not to be had. One that waits for no answer is told as well. */
  #expel(group: Group, member: Member, code: 'channel_limit' | 'hub_unavailable'): void {
    const joins = this.#remove(group, member);
    this.#refuseJoins(member, joins, code);
    if (joins.length > 0) return;
    this.#counters.refused[code] += 1;
    member.sendEvent(groupErrorEvent(code, group.name));
  }

  #refuseJoins(member: Member, joins: readonly WaitingJoin[], code: ErrorCode, sentence?: string): void {
    for (const { id } of joins) this.#refuseJoin(member, id, code, sentence);
  }

  #refuseJoin(member: Member, id: CommandId, code: ErrorCode, sentence?: string): void {
    this.#counters.refused[code] += 1;
    member.sendEvent(errorEvent(code, id, sentence));
  }

  #scheduleSweep(): void {
    if (this.wheelSlot === NOT_WAITING && this.#waiting.size > 0) this.#wheel.schedule(this, 1);
  }
}

/** Joins of a member that wait for the hub. Its questions are one wait together, and no join. */
function waitingJoinsOf(member: Member): number {
  return waitCount(member) - (member.questions === undefined ? 0 : 1);
}

/** Whether a join can be answered at once: it need not wait for the hub, nor for the answer to an earlier one. */
function mayAnswer(group: Group | undefined, member: Member, since: Position | undefined): boolean {
  if (group?.state !== 'live') return false;
  const catchUp = group.recoveries?.get(member);
  if (catchUp !== undefined) return catchUp.answered;
  return since === undefined || group.members.has(member);
}
