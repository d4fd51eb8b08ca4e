import type { Log } from '@groupcast/service';
import { Group } from './group.ts';
import type { HubPort, HubSubscriber } from './hub-port.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from './timing-wheel.ts';

export interface FollowedGroupsOptions {
  readonly hub: HubPort;
  readonly log: Log;
  readonly wheel: TimingWheel;
  /** How long a group without members stays subscribed, in milliseconds. */
  readonly lingerMs: number;
}

/** The groups that this worker follows at the hub: those with members, and for a short time those whose last member has gone. */
export class FollowedGroups implements Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #hub: HubPort;
  readonly #log: Log;
  readonly #wheel: TimingWheel;
  readonly #lingerTicks: number;
  readonly #subscriber: HubSubscriber;
  readonly #groups = new Map<string, Group>();
  /** Groups without members, the one that has been so for longest first. */
  readonly #lingering = new Set<Group>();

  constructor(options: FollowedGroupsOptions, subscriber: HubSubscriber) {
    this.#hub = options.hub;
    this.#log = options.log;
    this.#wheel = options.wheel;
    this.#lingerTicks = options.wheel.ticksOf(options.lingerMs);
    this.#subscriber = subscriber;
  }

  get size(): number {
    return this.#groups.size;
  }

  find(channel: string): Group | undefined {
    return this.#groups.get(channel);
  }

  /** Subscribes to a group that was not followed. */
  follow(name: string, channel: string): Group {
    const group = new Group(name, channel);
    this.#groups.set(channel, group);
    // It has no member yet; should subscribing fail, it goes like any group that nobody is in.
    this.linger(group);
    this.#hub.subscribe(channel, this.#subscriber);
    return group;
  }

  /** Somebody has come. */
  keep(group: Group): void {
    this.#lingering.delete(group);
  }

  /** The last one has gone. */
  linger(group: Group): void {
    group.emptySince = this.#wheel.now;
    this.#lingering.add(group);
    this.#scheduleSweep();
  }

  /** Once per tick while groups linger. */
  expired(): void {
    for (const group of this.#lingering) {
      if (this.#wheel.now - group.emptySince < this.#lingerTicks) break;
      this.#unfollow(group);
    }
    this.#scheduleSweep();
  }

  /** Unsubscribes every group at once. */
  close(): void {
    for (const group of this.#groups.values()) this.#unfollow(group);
    this.#wheel.cancel(this);
  }

  #unfollow(group: Group): void {
    this.#groups.delete(group.channel);
    this.#lingering.delete(group);
    try {
      this.#hub.unsubscribe(group.channel, this.#subscriber);
    } catch (error) {
      this.#log.error({ error }, 'unsubscribing at the hub failed');
    }
  }

  #scheduleSweep(): void {
    if (this.wheelSlot === NOT_WAITING && this.#lingering.size > 0) this.#wheel.schedule(this, 1);
  }
}
