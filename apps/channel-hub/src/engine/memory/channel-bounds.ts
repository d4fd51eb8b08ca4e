import type { HistoryBounds, HistoryBoundsOf } from '../engine.ts';
import type { HistoryLimits } from './history-limits.ts';

/**
 * Part of the age: publications of one channel within it may be dropped together, up to that much
 * late.
 */
const TOGETHER_SHARE = 1 / 64;

/** Complete bounds of the history of a channel. */
export interface ChannelBounds {
  readonly countMax: number;
  readonly ageMs: number;
  readonly bytesMax: number;
  /** Milliseconds within which publications may be dropped together. */
  readonly togetherMs: number;
}

type Limits = Pick<HistoryLimits, 'countMax' | 'ageMs' | 'bytesMax' | 'totalBytesMax'>;

/** The bounds of channels: those of the engine, and those that differ for some of them. */
export class BoundsOfChannels {
  readonly #limits: Limits;
  readonly #own: ChannelBounds;
  #boundsOf: HistoryBoundsOf | undefined;
  #completed = new Map<HistoryBounds, ChannelBounds>();

  constructor(limits: Limits) {
    this.#limits = limits;
    this.#own = completed({}, limits);
  }

  change(boundsOf: HistoryBoundsOf): void {
    this.#boundsOf = boundsOf;
    this.#completed = new Map();
  }

  of(channel: string): ChannelBounds {
    const given = this.#boundsOf?.(channel);
    if (given === undefined) return this.#own;
    let bounds = this.#completed.get(given);
    if (bounds === undefined) {
      bounds = completed(given, this.#limits);
      this.#completed.set(given, bounds);
    }
    return bounds;
  }
}

export function areEqual(one: ChannelBounds, other: ChannelBounds): boolean {
  return one.countMax === other.countMax && one.ageMs === other.ageMs && one.bytesMax === other.bytesMax;
}

function completed(given: HistoryBounds, limits: Limits): ChannelBounds {
  const { countMax = limits.countMax, ageMs = limits.ageMs, bytesMax = limits.bytesMax } = given;
  return {
    countMax,
    ageMs,
    bytesMax: Math.min(bytesMax, limits.totalBytesMax),
    togetherMs: ageMs * TOGETHER_SHARE,
  };
}
