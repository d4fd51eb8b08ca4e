import { integerOption, OPTION_BYTES_MAX, type OptionsOf, TIMER_MS_MAX } from '@groupcast/options';
import { utf8ByteLength } from '@groupcast/protocol';

const MIB = 1024 * 1024;

const BYTES = { min: 1, max: OPTION_BYTES_MAX, unit: 'bytes' } as const;

/** Highest attempt on the wire; counting stops there. Only items of dead-letter queues reach it. */
export const ATTEMPT_MAX = 65_535;

/** Limits of the hub's work queues. */
export const QUEUE_TABLE = {
  /** Queues that have items or watches; as many dead-letter queues are allowed besides. */
  queuesMax: integerOption({ default: 10_000, min: 1, max: 1_000_000, unit: 'queues' }),
  /** Items of one queue, leased ones included. */
  itemsMax: integerOption({ default: 10_000, min: 1, max: 10_000_000, unit: 'items' }),
  /** Bytes of one queue, its items as `itemBytes` counts them. Never above `totalBytesMax`. */
  bytesMax: integerOption({ ...BYTES, default: 64 * MIB }),
  /** Bytes of all queues together. */
  totalBytesMax: integerOption({ ...BYTES, default: 256 * MIB }),
  /** Milliseconds after which a lease ends and its item is delivered again. */
  visibilityMs: integerOption({ default: 30_000, min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
  /** Deliveries of an item before it moves to the dead-letter queue. */
  attemptsMax: integerOption({ default: 5, min: 1, max: ATTEMPT_MAX, unit: 'attempts' }),
  /**
   * Bytes that one consumer has in lease, unless in a single item. With more it would look like a
   * slow reader.
   */
  leasedBytesMax: integerOption({ ...BYTES, default: 4 * MIB }),
  /** Queues that one consumer watches. */
  watchesMax: integerOption({ default: 1_000, min: 1, max: 1_000_000, unit: 'queues' }),
  /** Milliseconds for which the message id of an item is known at least. Default 120,000. */
  dedupeMs: integerOption({ default: 120_000, min: 1, max: TIMER_MS_MAX, unit: 'milliseconds' }),
  /**
   * Message ids that are known. Above the limit, the oldest of the queue with the most ids are
   * forgotten early. Default 1,000,000, which take about 100 MB.
   */
  dedupeIdsMax: integerOption({ default: 1_000_000, min: 1, max: 10_000_000, unit: 'message ids' }),
};

/** Limits of the hub's work queues. */
export type QueueLimits = OptionsOf<typeof QUEUE_TABLE>;

/** Bytes that an item counts for beside its payload and id: empty items must not be free. */
export const ITEM_OVERHEAD_BYTES = 256;

/** Returns the bytes that an item counts for. */
export function itemBytes(payload: Uint8Array, messageId: string): number {
  return payload.length + utf8ByteLength(messageId) + ITEM_OVERHEAD_BYTES;
}
