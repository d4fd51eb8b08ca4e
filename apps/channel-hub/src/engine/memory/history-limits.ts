import {
  bytesWithin,
  OPTION_BYTES_MAX,
  type OptionRanges,
  resolveOptions,
  TIMER_MS_MAX,
} from '@groupcast/protocol';

/** How much the memory engine keeps, and for how long. */
export interface HistoryLimits {
  /** Publications of one channel. Default 1,000. */
  readonly countMax: number;
  /** How long a publication is kept, up to 1/64 longer, and how long a channel is after its last use, in milliseconds. Default 120,000. */
  readonly ageMs: number;
  /** Frames of one channel, in bytes; the newest publication is kept even if it is longer. 0 keeps none. Default 1 MiB, and never above `totalBytesMax`. */
  readonly bytesMax: number;
  /** Everything that is kept for all channels together, in bytes; the publisher that holds most loses first, what it used longest ago. Default 256 MiB. */
  readonly totalBytesMax: number;
  /** How long a message id is known at least, in milliseconds. Default 120,000. */
  readonly dedupeMs: number;
  /** Message ids that are known at a time; above, the oldest of the sender that has most are forgotten early. Default 1,000,000. */
  readonly dedupeIdsMax: number;
}

const MIB = 1024 * 1024;

export const HISTORY_DEFAULTS: HistoryLimits = {
  countMax: 1_000,
  ageMs: 120_000,
  bytesMax: MIB,
  totalBytesMax: 256 * MIB,
  dedupeMs: 120_000,
  dedupeIdsMax: 1_000_000,
};

export const HISTORY_RANGES: OptionRanges<HistoryLimits> = {
  countMax: { min: 0, max: 1_000_000, unit: 'publications' },
  ageMs: { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' },
  bytesMax: { min: 0, max: OPTION_BYTES_MAX, unit: 'bytes' },
  totalBytesMax: { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' },
  dedupeMs: { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' },
  dedupeIdsMax: { min: 1, max: 10_000_000, unit: 'message ids' },
};

/** Fills in the defaults. Throws OptionError `bad_option`. */
export function completeHistoryLimits(given: Partial<HistoryLimits>): HistoryLimits {
  const owner = 'MemoryEngine';
  const complete = resolveOptions(owner, HISTORY_DEFAULTS, HISTORY_RANGES, given);
  const bytesMax = bytesWithin(
    owner,
    { name: 'bytesMax', bytes: complete.bytesMax, isGiven: given.bytesMax !== undefined },
    { name: 'totalBytesMax', bytes: complete.totalBytesMax },
  );
  return { ...complete, bytesMax };
}
