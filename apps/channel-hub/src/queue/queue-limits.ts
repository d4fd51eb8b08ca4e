import { OPTION_BYTES_MAX, type OptionRanges, TIMER_MS_MAX } from '@groupcast/protocol';

const MIB = 1024 * 1024;

/** What the queues of a hub may hold, and how long they wait. */
export interface QueueLimits {
  /** Queues at a time: those that hold something, and those that are watched. As many dead-letter queues beside them. */
  readonly queuesMax: number;
  /** Items of one queue, those in lease counted. */
  readonly itemsMax: number;
  /** What one queue takes, in bytes; see ITEM_OVERHEAD_BYTES. Never above `totalBytesMax`. */
  readonly bytesMax: number;
  /** What all queues together take, in bytes. */
  readonly totalBytesMax: number;
  /** After so long a lease ends and the item is handed out again, in milliseconds. */
  readonly visibilityMs: number;
  /** Hand-outs of an item before it is given up. */
  readonly attemptsMax: number;
  /** Items in lease of one consumer, in bytes, unless it is a single one: more would make it look like a slow reader. */
  readonly leasedBytesMax: number;
  /** Queues that one consumer watches. */
  readonly watchesMax: number;
}

export const QUEUE_DEFAULTS: QueueLimits = {
  queuesMax: 10_000,
  itemsMax: 10_000,
  bytesMax: 64 * MIB,
  totalBytesMax: 256 * MIB,
  visibilityMs: 30_000,
  attemptsMax: 5,
  leasedBytesMax: 4 * MIB,
  watchesMax: 1_000,
};

/** Attempts are counted up to here: what the wire has room for. Only items of a dead-letter queue get so far. */
export const ATTEMPT_MAX = 65_535;

export const QUEUE_RANGES: OptionRanges<QueueLimits> = {
  queuesMax: { min: 1, max: 1_000_000, unit: 'queues' },
  itemsMax: { min: 1, max: 10_000_000, unit: 'items' },
  bytesMax: { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' },
  totalBytesMax: { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' },
  visibilityMs: { min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' },
  attemptsMax: { min: 1, max: ATTEMPT_MAX, unit: 'attempts' },
  leasedBytesMax: { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' },
  watchesMax: { min: 1, max: 1_000_000, unit: 'queues' },
};

/** What an item takes beside its payload, in bytes: else items without one would not be bounded by bytes. */
export const ITEM_OVERHEAD_BYTES = 256;
