import { channelOfGroup, type native, type Position } from '@groupcast/protocol';
import { CommandError, type CommandId } from '@groupcast/protocol/schema';
import type { Log } from '@groupcast/service';
import { Batch } from './batch.ts';
import type { Counters } from './gateway-stats.ts';
import { Group } from './group.ts';
import type { HubPort, HubSubscriber } from './hub-port.ts';
import type { Member } from './member.ts';
import type { GatewayOptions } from './options.ts';
import { ackEvent, errorEvent, gapEvent } from './outgoing.ts';
import { payloadFault } from './payload-fault.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from './timing-wheel.ts';
import { type WaitingJoin, WaitingJoins } from './waiting-joins.ts';

/** A group whose publications of one turn hold more than this does not wait for the end of the turn. */
const TURN_BYTES_MAX = 256 * 1024;

const LEFT_MEANWHILE = 'The group was left before the hub had confirmed the join.';

/**
 * The groups that have members here: who is in which, and the way of a publication to them. The first member subscribes at
 * the hub; some time after the last one has gone the group is unsubscribed and nothing of it is left.
 */
export class Groups implements HubSubscriber, Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #hub: HubPort;
  readonly #log: Log;
  readonly #wheel: TimingWheel;
  readonly #counters: Counters;
  readonly #groupsMax: number;
  readonly #joinTicks: number;
  readonly #lingerTicks: number;
  readonly #groups = new Map<string, Group>();
  readonly #waiting = new WaitingJoins();
  /** Groups without members, the one that has been so for longest first. */
  readonly #lingering = new Set<Group>();
  /** Groups that got publications in this turn. */
  #dirty: Group[] = [];

  constructor(options: GatewayOptions, counters: Counters) {
    this.#hub = options.hub;
    this.#log = options.log;
    this.#wheel = options.wheel;
    this.#counters = counters;
    this.#groupsMax = options.groupsPerConnectionMax;
    this.#joinTicks = options.wheel.ticksOf(options.joinMs);
    this.#lingerTicks = options.wheel.ticksOf(options.lingerMs);
  }

  /** How many are followed at the hub. */
  get size(): number {
    return this.#groups.size;
  }

  /**
   * Puts a member into a group; with an `id` it is told the position after which it gets everything, or, when the hub does
   * not say it in time, that the join was undone. Throws CommandError when it is in as many groups as it may be.
   */
  join(member: Member, name: string, id: CommandId | undefined): void {
    const channel = channelOfGroup(name);
    const known = this.#groups.get(channel);
    const isMember = known?.members.has(member) === true;
    if (!isMember && member.memberships.length >= this.#groupsMax) {
      throw new CommandError('group_limit', undefined, id);
    }
    const mustWait = id !== undefined && known?.state !== 'live';
    if (mustWait && member.waitingJoins >= this.#groupsMax) {
      this.#refuseJoin(member, id);
      return;
    }
    const group = known ?? this.#follow(name, channel);
    // What came before the join is not for the one who joins, and is in front of the ack of one who joins again.
    this.#flush(group);
    if (!isMember) {
      group.members.add(member);
      member.memberships.push(group);
      this.#lingering.delete(group);
      this.#counters.joins += 1;
    }
    if (id === undefined) return;
    if (group.state === 'live') {
      member.tell(ackEvent(id, name, group.position));
    } else {
      const deadline = this.#wheel.now + this.#joinTicks;
      this.#waiting.add(group, { member, id, joined: !isMember, deadline });
      this.#scheduleSweep();
    }
  }

  /** Takes a member out of a group, or finds that it is not in it; with an `id` it is told so either way. */
  leave(member: Member, name: string, id: CommandId | undefined): void {
    const group = this.#groups.get(channelOfGroup(name));
    if (group?.members.has(member) === true) {
      // What came before is still for the one who leaves.
      this.#flush(group);
      // A flush may end the membership.
      if (group.members.has(member)) this.#refuseJoins(member, this.#remove(group, member), LEFT_MEANWHILE);
    }
    if (id !== undefined) member.tell(ackEvent(id, name));
  }

  /** Takes a member that has gone, or must go, out of all its groups. It is told nothing. */
  leaveAll(member: Member): void {
    for (const group of member.memberships.splice(0)) this.#remove(group, member);
  }

  /** Takes a publication from the hub; members get it at the end of this turn. */
  deliver(publication: native.Publication): void {
    this.#counters.publications += 1;
    const group = this.#groups.get(publication.channel);
    if (group === undefined || group.state !== 'live') {
      this.#counters.dropped.not_followed += 1;
      return;
    }
    if (publication.number <= group.offset) {
      this.#counters.dropped.repeated += 1;
      return;
    }
    group.offset = publication.number;
    if (group.members.size === 0) return;
    const fault = payloadFault(publication);
    if (fault !== undefined) {
      this.#counters.dropped[fault] += 1;
      return;
    }
    if (group.queue(publication)) {
      if (this.#dirty.push(group) === 1) setImmediate(endTurn, this);
    }
    if (group.pendingBytes > TURN_BYTES_MAX) this.#flush(group);
  }

  /** The hub says where a channel stands, at first or again after its link was lost. */
  subscribed(subject: native.Subject, position: Position): void {
    const group = subject.prefix ? undefined : this.#groups.get(subject.name);
    if (group === undefined) return;
    this.#flush(group);
    const { state, epoch, offset } = group;
    group.state = 'live';
    group.epoch = position.epoch;
    group.offset = position.offset;
    if (state === 'subscribing') {
      for (const { member, id } of this.#waiting.takeAll(group)) {
        member.tell(ackEvent(id, group.name, group.position));
      }
    } else if (epoch !== position.epoch) {
      tellGap(group, 'epoch_changed');
    } else if (offset !== position.offset) {
      tellGap(group, 'trimmed');
    }
  }

  /** Writes what this turn brought. Called by the event loop. */
  endTurn(): void {
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const group of dirty) this.#flush(group);
  }

  /** Once per tick while joins wait or groups linger. */
  expired(): void {
    const { now } = this.#wheel;
    this.#giveUpJoins(now);
    for (const group of this.#lingering) {
      if (now - group.emptySince < this.#lingerTicks) break;
      this.#unfollow(group);
    }
    this.#scheduleSweep();
  }

  /** Unsubscribes every group at once. Members must have gone. */
  close(): void {
    for (const group of this.#groups.values()) this.#unfollow(group);
    this.#wheel.cancel(this);
  }

  #follow(name: string, channel: string): Group {
    const group = new Group(name, channel);
    this.#groups.set(channel, group);
    // It has no member yet; should subscribing fail, it goes like any group that nobody is in.
    this.#linger(group);
    this.#hub.subscribe(channel, this);
    return group;
  }

  #unfollow(group: Group): void {
    this.#groups.delete(group.channel);
    this.#lingering.delete(group);
    try {
      this.#hub.unsubscribe(group.channel, this);
    } catch (error) {
      this.#log.error({ error }, 'unsubscribing at the hub failed');
    }
  }

  #linger(group: Group): void {
    group.emptySince = this.#wheel.now;
    this.#lingering.add(group);
    this.#scheduleSweep();
  }

  /** Answers with the joins of the member that waited for the hub: they will not happen. */
  #remove(group: Group, member: Member): readonly WaitingJoin[] {
    group.members.delete(member);
    const index = member.memberships.indexOf(group);
    if (index >= 0) member.memberships.splice(index, 1);
    this.#counters.leaves += 1;
    if (group.members.size === 0) {
      group.takePending();
      this.#linger(group);
    }
    return this.#waiting.takeOf(group, member);
  }

  /** Takes out again whom the hub did not let in in time, and answers what else they asked of the group meanwhile. */
  #giveUpJoins(now: number): void {
    for (const [group, { member, id, joined }] of this.#waiting.takeExpired(now)) {
      this.#refuseJoin(member, id);
      if (joined && group.members.has(member)) this.#refuseJoins(member, this.#remove(group, member));
    }
  }

  #refuseJoins(member: Member, joins: readonly WaitingJoin[], sentence?: string): void {
    for (const { id } of joins) this.#refuseJoin(member, id, sentence);
  }

  #refuseJoin(member: Member, id: CommandId, sentence?: string): void {
    this.#counters.refused.hub_unavailable += 1;
    member.tell(errorEvent('hub_unavailable', id, sentence));
  }

  #scheduleSweep(): void {
    if (this.wheelSlot !== NOT_WAITING || (this.#waiting.size === 0 && this.#lingering.size === 0)) return;
    this.#wheel.schedule(this, 1);
  }

  #flush(group: Group): void {
    const publications = group.takePending();
    if (publications.length === 0) return;
    try {
      this.#send(group, new Batch(group.name, publications));
    } catch (error) {
      this.#log.error({ error, publications: publications.length }, 'publications could not be delivered');
    }
  }

  #send(group: Group, batch: Batch): void {
    for (const member of group.members) {
      if (batch.excludes(member)) {
        const { frames, count } = batch.framesWithout(member);
        if (count > 0) this.#sendTo(member, frames, count);
      } else {
        this.#sendTo(member, batch.frames(member.mode), batch.size);
      }
    }
  }

  #sendTo(member: Member, frames: Uint8Array, count: number): void {
    this.#counters.delivered += count;
    this.#counters.deliveryWrites += 1;
    member.send(frames);
  }
}

function endTurn(groups: Groups): void {
  groups.endTurn();
}

function tellGap(group: Group, reason: 'epoch_changed' | 'trimmed'): void {
  const event = gapEvent(group.name, reason, group.position);
  for (const member of group.members) if (member.mode === 'v1') member.tell(event);
}
