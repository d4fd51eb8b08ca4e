import type { Log } from '@groupcast/service';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import { Group } from './group.ts';
import type { HubPort, HubSubscriber } from './hub-port.ts';
import type { Member } from './member.ts';

export interface SubscribedGroupsOptions {
  readonly hub: HubPort;
  readonly log: Log;
  readonly wheel: TimingWheel;
  /** Milliseconds for which a group without members stays subscribed. */
  readonly lingerMs: number;
  /** Maximum groups without members that stay subscribed. */
  readonly lingeringGroupsMax: number;
  /** Maximum of these that one connection has left as the last member. */
  readonly groupsPerConnectionMax: number;
}

/**
 * Share of the lingering groups that is unsubscribed at the limit: finding the oldest has a cost.
 */
const EVICTED_SHARE = 1 / 16;

const NO_GROUPS: ReadonlySet<Group> = new Set();

/**
 * Groups that a worker is subscribed to: those with members, and for a short time those without.
 */
export class SubscribedGroups implements Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #options: SubscribedGroupsOptions;
  readonly #lingerTicks: number;
  readonly #subscriber: HubSubscriber;
  readonly #groups = new Map<string, Group>();
  /** Number of these that are channels of users. */
  #users = 0;
  /**
   * Groups without members, longest first, with the member that was the last to leave if it is
   * open.
   */
  readonly #lingering = new Map<Group, Member | undefined>();
  readonly #lingeringOf = new Map<Member, Set<Group>>();

  constructor(options: SubscribedGroupsOptions, subscriber: HubSubscriber) {
    this.#options = options;
    this.#lingerTicks = options.wheel.ticksOf(options.lingerMs);
    this.#subscriber = subscriber;
  }

  /** Number of groups without the channels of users. */
  get size(): number {
    return this.#groups.size - this.#users;
  }

  /** Number of channels of users. */
  get users(): number {
    return this.#users;
  }

  find(channel: string): Group | undefined {
    return this.#groups.get(channel);
  }

  /** Subscribes to a group, before its first member joins. */
  subscribe(name: string, channel: string): Group {
    const group = new Group(name, channel);
    this.#groups.set(channel, group);
    if (group.isOfUser) this.#users += 1;
    // If subscribing throws, the group ends like any group without members.
    this.#linger(group, undefined);
    group.subscription = this.#options.hub.subscribe(channel, this.#subscriber);
    return group;
  }

  /** Keeps a group that has a member again. */
  cancelLinger(group: Group): void {
    const member = this.#lingering.get(group);
    this.#lingering.delete(group);
    if (member === undefined) return;
    const groups = this.#lingeringOf.get(member);
    groups?.delete(group);
    if (groups?.size === 0) this.#lingeringOf.delete(member);
  }

  /**
   * Lets a group linger that its last member has left. The groups count for that member, so that a
   * client that joins and leaves quickly keeps no more groups subscribed than its limit.
   */
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

  /** Forgets a member that has gone. Its groups linger on, and count for no member. */
  forget(member: Member): void {
    for (const group of this.#lingeringOf.get(member) ?? NO_GROUPS) this.#lingering.set(group, undefined);
    this.#lingeringOf.delete(member);
  }

  /** Unsubscribes a group without members. */
  unsubscribe(group: Group): void {
    if (this.#groups.get(group.channel) !== group) return;
    this.#groups.delete(group.channel);
    if (group.isOfUser) this.#users -= 1;
    this.cancelLinger(group);
    try {
      this.#options.hub.unsubscribe(group.channel, this.#subscriber);
    } catch (error) {
      this.#options.log.error({ error }, 'unsubscribing at the hub failed');
    }
  }

  /** Unsubscribes groups that have lingered for long enough. Called each tick while any linger. */
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
