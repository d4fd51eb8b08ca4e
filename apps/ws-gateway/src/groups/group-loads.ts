import type { Group } from './group.ts';
import { GroupLoad, type GroupRates } from './group-load.ts';

/** Maximum loads of one age. There are two ages. */
export const LOADS_MAX = 4_096;

/**
 * Part of the loads that stay at the limit, because more than `USED_SHARE` of their burst is used.
 */
const USED_PART = 1 / 2;
const USED_SHARE = 1 / 16;

/** Minimum share of a worker, in bytes and in bytes per second. */
const SHARE_BYTES_MIN = 64 * 1024;

export interface ByteRatesOptions {
  /** Bytes per second of a group. */
  readonly groupBytesPerSecond: number;
  /** Burst of a group, in bytes. */
  readonly groupBytesBurst: number;
  /** Number of workers that share the rate. */
  readonly workers: number;
}

/**
 * Loads of groups that clients here publish to, or that have members here. All workers together
 * must not publish more than members can read. Only workers with members know the traffic of a
 * group, so that the others have a share of the rate each. All have a share of the burst, which
 * precedes any knowledge.
 *
 * A load is forgotten when it was unused for the time in which a bucket fills, or when there are
 * too many. Two ages of loads make both possible without a search.
 */
export class GroupLoads {
  readonly #rates: GroupRates;
  readonly #field: 'byteLoad' | 'messageLoad';
  readonly #loadsMax: number;
  readonly #ageMs: number;
  #young = new Map<string, GroupLoad>();
  #old = new Map<string, GroupLoad>();
  #youngSinceMs = 0;

  /** `field` of a group has its load. */
  constructor(rates: GroupRates, field: 'byteLoad' | 'messageLoad', loadsMax = LOADS_MAX) {
    this.#rates = rates;
    this.#field = field;
    this.#loadsMax = loadsMax;
    this.#ageMs = (1_000 * (rates.debtMax + rates.unseen.burst)) / rates.unseen.perSecond;
  }

  /** Number of loads. Some are of groups without members. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** Charges a publish of `bytes`. `group` is that of the channel, if this worker is subscribed. */
  publish(channel: string, group: Group | undefined, bytes: number, nowMs: number): 'ok' | 'rate_limited' {
    const isSeen = group?.state === 'live' && group.members.size > 0;
    return this.#of(channel, group, nowMs).publish(bytes, nowMs, isSeen);
  }

  /** Charges a delivery of `bytes` to each member here. */
  delivered(group: Group, bytes: number, nowMs: number): void {
    const load = this.#known(group) ?? this.#of(group.channel, group, nowMs);
    load.delivered(bytes, nowMs);
  }

  /**
   * Returns the load of a channel, or a new one. A group keeps its load, which may outlast the
   * group.
   */
  #of(channel: string, group: Group | undefined, nowMs: number): GroupLoad {
    if (nowMs - this.#youngSinceMs > this.#ageMs) this.#age(nowMs);
    let load = this.#young.get(channel);
    if (load === undefined) {
      if (this.#young.size >= this.#loadsMax) this.#makeRoom(nowMs);
      load = this.#known(group) ?? this.#old.get(channel) ?? new GroupLoad(this.#rates, nowMs);
      this.#old.delete(channel);
      this.#young.set(channel, load);
    }
    if (group !== undefined) group[this.#field] = load;
    return load;
  }

  /** Returns the load of a group, unless it is from other rates. */
  #known(group: Group | undefined): GroupLoad | undefined {
    const load = group?.[this.#field];
    return load?.rates === this.#rates ? load : undefined;
  }

  #age(nowMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSinceMs = nowMs;
  }

  /** Drops loads with little use. Messages to many groups must not reset the load of a busy one. */
  #makeRoom(nowMs: number): void {
    const old = this.#old;
    this.#age(nowMs);
    for (const [channel, load] of old) {
      if (this.#young.size >= this.#loadsMax * USED_PART) return;
      if (load.usedShare(nowMs) > USED_SHARE) this.#young.set(channel, load);
    }
  }
}

/** Returns the byte rates of groups. */
export function byteRatesOf({ groupBytesPerSecond, groupBytesBurst, workers }: ByteRatesOptions): GroupRates {
  const shareOf = (bytes: number): number => Math.max(bytes / workers, Math.min(bytes, SHARE_BYTES_MIN));
  const burst = shareOf(groupBytesBurst);
  return {
    seen: { perSecond: groupBytesPerSecond, burst },
    unseen: { perSecond: shareOf(groupBytesPerSecond), burst },
    debtMax: groupBytesBurst,
  };
}
