import type { Group } from './group.ts';
import { GroupLoad, type GroupRates } from './group-load.ts';

/** Loads that are as old as each other. Twice as many are kept at most. */
const LOADS_MAX = 4_096;

/** Of these, as many as this stay when others need the room, if more than the share of their burst is used up. */
const USED_MAX = LOADS_MAX / 2;
const USED_SHARE = 1 / 16;

/** The least that a worker lets a group carry, in bytes and in bytes each second, however many workers there are. */
const SHARE_BYTES_MIN = 64 * 1024;

export interface GroupLoadsOptions {
  /** Bytes that a group carries each second in the long run. */
  readonly groupBytesPerSecond: number;
  /** Bytes that a group carries at once. */
  readonly groupBytesBurst: number;
  /** Workers that share them. */
  readonly workers: number;
}

/**
 * What groups carry that clients here send to, or that have members here. All workers together must not let through more than members
 * can read. What all have let through is known to those with members of the group alone; the others have a share each. A burst comes
 * before anything is known, so that all have a share of it.
 *
 * A load that was not used for as long as a bucket takes to fill is forgotten, or one of many: in two ages, so that nothing has to be
 * looked for.
 */
export class GroupLoads {
  readonly #rates: GroupRates;
  readonly #ageMs: number;
  #young = new Map<string, GroupLoad>();
  #old = new Map<string, GroupLoad>();
  #youngSinceMs = 0;

  constructor({ groupBytesPerSecond, groupBytesBurst, workers }: GroupLoadsOptions) {
    const shareOf = (bytes: number): number => Math.max(bytes / workers, Math.min(bytes, SHARE_BYTES_MIN));
    const burst = shareOf(groupBytesBurst);
    this.#rates = {
      seen: { perSecond: groupBytesPerSecond, burst },
      unseen: { perSecond: shareOf(groupBytesPerSecond), burst },
      debtMax: groupBytesBurst,
    };
    this.#ageMs = (1_000 * (groupBytesBurst + burst)) / this.#rates.unseen.perSecond;
  }

  /** How many are kept for groups without members. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** A client here sends so many bytes to a channel, whose group is given where it is followed. Whether it may. */
  send(channel: string, group: Group | undefined, bytes: number, nowMs: number): 'ok' | 'rate_limited' {
    const isSeen = group?.state === 'live' && group.members.size > 0;
    return this.#of(channel, group, nowMs).send(bytes, nowMs, isSeen);
  }

  /** Members here were given so many bytes of a group each. */
  delivered(group: Group, bytes: number, nowMs: number): void {
    const load = group.load ?? this.#of(group.channel, group, nowMs);
    load.delivered(bytes, nowMs);
  }

  /** The load of a channel, a new one where there is none. That of a group stays with it, and outlasts it here. */
  #of(channel: string, group: Group | undefined, nowMs: number): GroupLoad {
    if (nowMs - this.#youngSinceMs > this.#ageMs) this.#age(nowMs);
    let load = this.#young.get(channel);
    if (load === undefined) {
      if (this.#young.size >= LOADS_MAX) this.#makeRoom(nowMs);
      load = group?.load ?? this.#old.get(channel) ?? new GroupLoad(this.#rates, nowMs);
      this.#old.delete(channel);
      this.#young.set(channel, load);
    }
    if (group !== undefined) group.load = load;
    return load;
  }

  #age(nowMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSinceMs = nowMs;
  }

  /** Messages to many groups must not make a full one empty: it stays, while those go that hardly carry anything. */
  #makeRoom(nowMs: number): void {
    const old = this.#old;
    this.#age(nowMs);
    for (const [channel, load] of old) {
      if (this.#young.size >= USED_MAX) return;
      if (load.usedShare(nowMs) > USED_SHARE) this.#young.set(channel, load);
    }
  }
}
