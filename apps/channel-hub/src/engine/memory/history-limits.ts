import {
  bytesWithin,
  integerOption,
  OPTION_BYTES_MAX,
  type OptionsOf,
  resolveOptions,
  TIMER_MS_MAX,
} from '@groupcast/options';

const MIB = 1024 * 1024;

const TIME = { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' } as const;

/** Limits of what the memory engine keeps. */
export const HISTORY_TABLE = {
  /** Publications of one channel. Default 1,000. */
  countMax: integerOption({ default: 1_000, min: 0, max: 1_000_000, unit: 'publications' }),
  /**
   * Milliseconds after which a publication expires, at most 1/64 later, and an unused channel does.
   * Default 120,000.
   */
  ageMs: integerOption({ ...TIME, default: 120_000 }),
  /**
   * Bytes of the frames of one channel; the newest publication is kept even if it is longer. 0
   * keeps none. Default 1 MiB, and never above `totalBytesMax`.
   */
  bytesMax: integerOption({ default: MIB, min: 0, max: OPTION_BYTES_MAX, unit: 'bytes' }),
  /**
   * Bytes that are kept for all channels together. Above the limit, the publisher with the most
   * history loses its least recently used publications. Default 256 MiB.
   */
  totalBytesMax: integerOption({ default: 256 * MIB, min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' }),
  /** Milliseconds for which a message id is known at least. Default 120,000. */
  dedupeMs: integerOption({ ...TIME, default: 120_000 }),
  /**
   * Message ids that are known. Above the limit, the oldest of the sender with the most ids are
   * forgotten early. Default 1,000,000.
   */
  dedupeIdsMax: integerOption({ default: 1_000_000, min: 1, max: 10_000_000, unit: 'message ids' }),
};

/** Limits of what the memory engine keeps. */
export type HistoryLimits = OptionsOf<typeof HISTORY_TABLE>;

/** Fills in the defaults. Throws OptionError `bad_option`. */
export function completeHistoryLimits(given: Partial<HistoryLimits>): HistoryLimits {
  const owner = 'MemoryEngine';
  const complete = resolveOptions(owner, HISTORY_TABLE, given);
  const bytesMax = bytesWithin(
    owner,
    { name: 'bytesMax', bytes: complete.bytesMax, isGiven: given.bytesMax !== undefined },
    { name: 'totalBytesMax', bytes: complete.totalBytesMax },
  );
  return { ...complete, bytesMax };
}
