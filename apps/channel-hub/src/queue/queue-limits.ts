import { OPTION_BYTES_MAX, type OptionRanges, TIMER_MS_MAX } from '@groupcast/protocol';

const MIB = 1024 * 1024;

/** Limits of the hub's work queues. */
export interface QueueLimits {
  /** Queues that have items or watches; as many dead-letter queues are allowed besides. */
  readonly queuesMax: number;
  /** Items of one queue, leased ones included. */
  readonly itemsMax: number;
  /** Bytes of one queue, with `ITEM_OVERHEAD_BYTES` per item. Never above `totalBytesMax`. */
  readonly bytesMax: number;
  /** Bytes of all queues together. */
  readonly totalBytesMax: number;
  /** Milliseconds after which a lease ends and its item is delivered again. */
  readonly visibilityMs: number;
  /** Deliveries of an item before it moves to the dead-letter queue. */
  readonly attemptsMax: number;
  /**
   * Bytes that one consumer has in lease, unless in a single item. With more it would look like a
   * slow reader.
   */
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

/** Highest attempt on the wire; counting stops there. Only items of dead-letter queues reach it. */
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

/** Bytes that an item counts for beside its payload: empty items must not be free. */
export const ITEM_OVERHEAD_BYTES = 256;
