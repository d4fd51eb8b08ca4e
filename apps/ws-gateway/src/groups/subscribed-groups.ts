import type { Log } from '@groupcast/service';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import { Group } from './group.ts';
import type { HubPort, HubSubscriber } from './hub-port.ts';
import type { Member } from './member.ts';

export interface SubscribedGroupsOptions {
  readonly hub: HubPort;
  readonly log: Log;
  readonly wheel: TimingWheel;
  /** How long a group without members stays subscribed, in milliseconds. */
  readonly lingerMs: number;
  /** Groups without members that stay subscribed. */
  readonly lingeringGroupsMax: number;
  /** Those of them that one connection has left as the last one. */
  readonly groupsPerConnectionMax: number;
}

/** Of those that linger, so much goes at once when they are too many: to look for the oldest is not free. */
const EVICTED_SHARE = 1 / 16;

/** The groups that this worker follows at the hub: those with members, and for a short time those whose last member has gone. */
export class SubscribedGroups implements Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #options: SubscribedGroupsOptions;
  readonly #lingerTicks: number;
  readonly #subscriber: HubSubscriber;
  readonly #groups = new Map<string, Group>();
  /** Groups without members, the one that has been so for longest first, and the connection that left them last while it is there. */
  readonly #lingering = new Map<Group, Member | undefined>();
  readonly #lingeringOf = new Map<Member, Set<Group>>();

  constructor(options: SubscribedGroupsOptions, subscriber: HubSubscriber) {
    this.#options = options;
    this.#lingerTicks = options.wheel.ticksOf(options.lingerMs);
    this.#subscriber = subscriber;
  }

  get size(): number {
    return this.#groups.size;
  }

  find(channel: string): Group | undefined {
    return this.#groups.get(channel);
  }

  /** Subscribes to a group that was not followed, for a member that is about to come. */
  subscribe(name: string, channel: string): Group {
    const group = new Group(name, channel);
    this.#groups.set(channel, group);
    // It has no member yet; should subscribing fail, it goes like any group that nobody is in.
    this.#linger(group, undefined);
    this.#options.hub.subscribe(channel, this.#subscriber);
    return group;
  }

  /** Somebody has come. */
  cancelLinger(group: Group): void {
    const member = this.#lingering.get(group);
    this.#lingering.delete(group);
    if (member === undefined) return;
    const groups = this.#lingeringOf.get(member);
    groups?.delete(group);
    if (groups?.size === 0) this.#lingeringOf.delete(member);
  }

  /** The last member has gone. What it leaves behind counts for it: whoever goes through groups quickly holds no more than it may be in. */
  linger(group: Group, member: Member): void {
    this.#linger(group, member);
    const groups = this.#lingeringOf.get(member);
    if (groups === undefined) {
      this.#lingeringOf.set(member, new Set([group]));
      return;
    }
    groups.add(group);
    const [oldest] = groups;
    if (groups.size > this.#options.groupsPerConnectionMax && oldest !== undefined) this.unsubscribe(oldest);
  }

  /** The connection is gone. What it has left lingers on, and counts with all others. */
  forget(member: Member): void {
    for (const group of this.#lingeringOf.get(member) ?? NO_GROUPS) this.#lingering.set(group, undefined);
    this.#lingeringOf.delete(member);
  }

  /** Unsubscribes a group, which has no members. */
  unsubscribe(group: Group): void {
    if (this.#groups.get(group.channel) !== group) return;
    this.#groups.delete(group.channel);
    this.cancelLinger(group);
    try {
      this.#options.hub.unsubscribe(group.channel, this.#subscriber);
    } catch (error) {
      this.#options.log.error({ error }, 'unsubscribing at the hub failed');
    }
  }

  /** Once per tick while groups linger. */
  expired(): void {
    const { now } = this.#options.wheel;
    for (const group of this.#lingering.keys()) {
      if (now - group.emptySinceTick < this.#lingerTicks) break;
      this.unsubscribe(group);
    }
    this.#scheduleSweep();
  }

  /** Unsubscribes every group at once. */
  close(): void {
    for (const group of this.#groups.values()) this.unsubscribe(group);
    this.#options.wheel.cancel(this);
  }

  #linger(group: Group, member: Member | undefined): void {
    group.emptySinceTick = this.#options.wheel.now;
    this.#lingering.set(group, member);
    if (this.#lingering.size > this.#options.lingeringGroupsMax) this.#evict();
    this.#scheduleSweep();
  }

  #evict(): void {
    let left = Math.ceil(this.#options.lingeringGroupsMax * EVICTED_SHARE);
    for (const group of this.#lingering.keys()) {
      this.unsubscribe(group);
      left -= 1;
      if (left === 0) return;
    }
  }

  #scheduleSweep(): void {
    const { wheel } = this.#options;
    if (this.wheelSlot === NOT_WAITING && this.#lingering.size > 0) wheel.schedule(this, 1);
  }
}

const NO_GROUPS: ReadonlySet<Group> = new Set();
