import { defaultsOf } from '@groupcast/options';
import { isQueueName, ProtocolError } from '@groupcast/protocol';
import { itemKey } from '../message-ids/message-ids.ts';
import { Consumer, type ConsumerOptions } from './consumer.ts';
import { Dispatcher } from './dispatcher.ts';
import { itemBytes, QUEUE_TABLE, type QueueLimits } from './queue-limits.ts';
import type { QueueRow, QueueStats } from './queue-stats.ts';
import type { ItemKind, ItemReceiver } from './work-queue.ts';

/**
 * Work queues. Each item is delivered to one consumer, in order, until a consumer reports it as
 * done. Knows no sockets and has no timer.
 *
 *     waiting -> leased -> gone (done)
 *        ^         |
 *        +---------+ withdrawn, failed, expired, consumer closed;
 *                    after the last attempt -> the dead-letter queue
 */
export class WorkQueues {
  readonly #dispatcher: Dispatcher;
  readonly #clock: () => number;

  /** `clock` returns milliseconds that never decrease. */
  constructor(limits: Partial<QueueLimits> = {}, clock: () => number = () => performance.now()) {
    this.#dispatcher = new Dispatcher({ ...defaultsOf(QUEUE_TABLE), ...limits }, clock);
    this.#clock = clock;
  }

  /**
   * Adds an item with a copy of the payload; a repetition of a message id only counts. Returns the
   * error if it is rejected: `bad_queue`, `bad_length`, `queue_full`, or `hub_unavailable` during
   * shutdown.
   */
  enqueue(name: string, kind: ItemKind, payload: Uint8Array, messageId = ''): ProtocolError | undefined {
    const { counts, ids, table, isStopped } = this.#dispatcher;
    const key = messageId === '' ? undefined : itemKey(name, messageId);
    // When the hub stops, the item is lost, and its repetition is for the next hub.
    if (key !== undefined && !isStopped && ids.has(name, key)) {
      counts.duplicates += 1;
      return undefined;
    }
    const error = this.#errorOf(name, itemBytes(payload, messageId));
    if (error !== undefined) {
      counts.rejected += 1;
      return error;
    }
    counts.enqueued += 1;
    if (key !== undefined) ids.add(name, key);
    // A view would keep the whole chunk that was read. `slice` of a Buffer is a view.
    this.#dispatcher.add(table.obtain(name), { kind, payload: new Uint8Array(payload), messageId });
    this.#dispatcher.dispatch();
    return undefined;
  }

  /** Returns a new consumer that watches no queue yet. */
  addConsumer(receiver: ItemReceiver, options: ConsumerOptions = {}): Consumer {
    return new Consumer(this.#dispatcher, receiver, options);
  }

  /** Requeues items whose lease is over, and forgets old message ids. The owner calls it often. */
  tick(): void {
    const { ids } = this.#dispatcher;
    if (ids.size > 0) ids.sweep();
    this.#dispatcher.expire();
    this.#dispatcher.dispatch();
  }

  /** Delivers no items and rejects new ones: the hub is shutting down. */
  stop(): void {
    this.#dispatcher.stop();
  }

  stats(): QueueStats {
    const { counts, ids, table, leased, bytes } = this.#dispatcher;
    const { size: messageIds, dropped: messageIdsDropped } = ids;
    return { ...counts, ...table.gauges(this.#clock()), leased, bytes, messageIds, messageIdsDropped };
  }

  /** Returns the `countMax` longest queues. */
  rows(countMax: number): readonly QueueRow[] {
    return this.#dispatcher.table.rows(countMax, this.#clock());
  }

  #errorOf(name: string, bytes: number): ProtocolError | undefined {
    if (!isQueueName(name)) return new ProtocolError('bad_queue');
    const { limits, table, isStopped } = this.#dispatcher;
    const { itemsMax, bytesMax, totalBytesMax, queuesMax } = limits;
    if (isStopped) {
      return new ProtocolError('hub_unavailable', 'The hub is shutting down. Retry later.');
    }
    const itemBytesMax = Math.min(bytesMax, totalBytesMax);
    if (bytes > itemBytesMax) return tooLong(bytes, itemBytesMax);
    const queue = table.get(name);
    if ((queue?.size ?? 0) >= itemsMax) return full(`${itemsMax} items per queue`);
    if ((queue?.bytes ?? 0) + bytes > bytesMax) return full(`${bytesMax} bytes per queue`);
    if (this.#dispatcher.bytes + bytes > totalBytesMax) {
      return full(`${totalBytesMax} bytes in all queues`);
    }
    return table.hasRoomFor(name) ? undefined : full(`${queuesMax} queues`);
  }
}

function tooLong(bytes: number, bytesMax: number): ProtocolError {
  return new ProtocolError(
    'bad_length',
    `The item takes ${bytes} bytes of its queue; the limit is ${bytesMax}. Send a smaller item.`,
  );
}

function full(limit: string): ProtocolError {
  return new ProtocolError('queue_full', `The limit of ${limit} is reached. Retry later.`);
}
