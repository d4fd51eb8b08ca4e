import { GroupLoad } from './policies/group-load.ts';
import type { Rate } from './policies/rate-limit.ts';

/** Loads that are as old as each other. Twice as many are kept at most. */
const LOADS_MAX = 4_096;

/**
 * Loads of the groups that clients here send to. One that was not used for as long as a bucket takes to fill is forgotten, or one of many: in
 * two ages, so that nothing has to be looked for.
 */
export class GroupLoads {
  readonly #rate: Rate;
  readonly #ageMs: number;
  #young = new Map<string, GroupLoad>();
  #old = new Map<string, GroupLoad>();
  #youngSinceMs = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
    // Others can bring it to owe a burst.
    this.#ageMs = (2_000 * rate.burst) / rate.perSecond;
  }

  /** How many there are. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** The load of a channel, a new one where there is none. */
  of(channel: string, nowMs: number): GroupLoad {
    if (nowMs - this.#youngSinceMs > this.#ageMs) this.#age(nowMs);
    const young = this.#young.get(channel);
    if (young !== undefined) return young;
    if (this.#young.size >= LOADS_MAX) this.#age(nowMs);
    const load = this.#old.get(channel) ?? new GroupLoad(this.#rate, nowMs);
    this.#old.delete(channel);
    this.#young.set(channel, load);
    return load;
  }

  #age(nowMs: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngSinceMs = nowMs;
  }
}
