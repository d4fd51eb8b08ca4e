import { isWatchableQueueName, limits, native, ProtocolError } from '@groupcast/protocol';
import type { Requests } from '../connection/requests.ts';

/** One item of work. */
export interface QueueItem {
  readonly queue: string;
  readonly kind: native.PayloadKind;
  /** Valid while it is referenced. */
  readonly payload: Uint8Array;
  /** Of the program that enqueued it, or ''. */
  readonly messageId: string;
  /** Number of this delivery. Above 1, an earlier one may have been processed in part. */
  readonly attempt: number;
}

/**
 * Processes an item. The item is done when this returns or its promise resolves. When this throws
 * or its promise rejects, the item is delivered again.
 */
export type QueueHandler = (item: QueueItem) => Promise<void> | void;

export interface WatchOptions {
  /** Items at a time, 1 to 1,000. Default 1, which keeps their order. */
  readonly concurrency?: number;
}

/** Handle of a watched queue. */
export interface QueueWatcher {
  /** Stops the watch. Resolves when the handler has ended for all its items and the hub is told. */
  close(): Promise<void>;
}

export interface QueueWatchesEvents {
  /** A handler has thrown. The item was reported to the hub as failed. */
  failed(item: QueueItem, error: unknown): void;
  /** The hub rejected a watch. The client retries every second. */
  rejected(queue: string, error: ProtocolError): void;
}

/** A watched queue. It outlives broken links. */
class QueueWatch {
  readonly queue: string;
  readonly concurrency: number;
  /** Number of the last WATCH. */
  request = 0;
  /** Whether the hub rejected it on this link, so that the client retries. */
  isRejected = false;
  /** Whether the rejection was reported, and no item has arrived since. */
  isReported = false;
  readonly #handler: QueueHandler;
  #running = 0;
  #onIdle: (() => void)[] = [];

  constructor(queue: string, handler: QueueHandler, concurrency: number) {
    this.queue = queue;
    this.#handler = handler;
    this.concurrency = concurrency;
  }

  /** Runs the handler. Rejects with the error that the handler throws. */
  async run(item: QueueItem): Promise<void> {
    this.#running += 1;
    try {
      await this.#handler(item);
    } finally {
      this.#running -= 1;
      if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  /** Resolves when the handler runs for no item. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }
}

/** The client's watches, requested again on each new link. */
export class QueueWatches {
  readonly #requests: Requests;
  readonly #events: QueueWatchesEvents;
  readonly #watches = new Map<string, QueueWatch>();
  /** Number of the link. An item's outcome is sent only on the link that delivered the item. */
  #link = 0;

  constructor(requests: Requests, events: QueueWatchesEvents) {
    this.#requests = requests;
    this.#events = events;
  }

  /**
   * Throws a ProtocolError: `bad_queue`, or `bad_field` for an invalid handler or concurrency and
   * for a queue that is already watched.
   */
  add(queue: string, handler: QueueHandler, { concurrency = 1 }: WatchOptions): QueueWatcher {
    if (!isWatchableQueueName(queue)) throw new ProtocolError('bad_queue');
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > limits.CONCURRENCY_MAX) {
      const range = `an integer from 1 to ${limits.CONCURRENCY_MAX}`;
      throw new ProtocolError('bad_field', `concurrency is ${concurrency}; it must be ${range}.`);
    }
    if (typeof handler !== 'function') {
      throw new ProtocolError('bad_field', 'handler must be a function that processes an item.');
    }
    if (this.#watches.has(queue)) {
      const sentence = `This client already watches the queue ${queue}. Raise its concurrency instead.`;
      throw new ProtocolError('bad_field', sentence);
    }
    const watch = new QueueWatch(queue, handler, concurrency);
    this.#watches.set(queue, watch);
    this.#request(watch);
    return { close: () => this.#remove(watch) };
  }

  /** Requests all watches on a new link. */
  resume(): void {
    for (const watch of this.#watches.values()) {
      watch.isReported = false;
      this.#request(watch);
    }
  }

  /** Forgets the link, which broke. The hub has requeued its leases. */
  suspend(): void {
    this.#link += 1;
  }

  clear(): void {
    this.#link += 1;
    this.#watches.clear();
  }

  /** Requests rejected watches again. */
  retry(): void {
    for (const watch of this.#watches.values()) if (watch.isRejected) this.#request(watch);
  }

  deliver(message: native.Item): void {
    const watch = this.#watches.get(message.queue);
    // The item was in flight when the watch was closed.
    if (watch === undefined) this.#report('failed', message);
    else void this.#process(watch, message);
  }

  async #process(watch: QueueWatch, message: native.Item): Promise<void> {
    const link = this.#link;
    watch.isReported = false;
    const { queue, kind, messageId, payload, attempt } = message;
    const item = { queue, kind, messageId, payload, attempt };
    try {
      await watch.run(item);
    } catch (error) {
      if (link === this.#link) this.#report('failed', message);
      this.#events.failed(item, error);
      return;
    }
    if (link === this.#link) this.#report('done', message);
  }

  /** Sends an outcome, also to a hub that is shutting down. */
  #report(type: 'done' | 'failed', { queue, item, attempt }: native.Item): void {
    this.#requests.send(native.encodeItemResult({ type, queue, item, attempt }));
  }

  #request(watch: QueueWatch): void {
    if (!this.#requests.isOpen) return;
    const { queue, concurrency } = watch;
    this.#requests.delete(watch.request);
    watch.request = this.#requests.nextNumber();
    watch.isRejected = false;
    this.#requests.add(watch.request, { rejected: (error) => this.#rejected(watch, error) });
    this.#requests.send(native.encodeWatch({ request: watch.request, queue, concurrency }));
  }

  #rejected(watch: QueueWatch, error: ProtocolError): void {
    const isNews = !watch.isReported;
    watch.isRejected = true;
    watch.isReported = true;
    if (isNews) this.#events.rejected(watch.queue, error);
  }

  #remove(watch: QueueWatch): Promise<void> {
    if (this.#watches.get(watch.queue) === watch) {
      this.#watches.delete(watch.queue);
      this.#requests.delete(watch.request);
      if (this.#requests.isOpen) this.#requests.send(native.encodeUnwatch(watch.queue));
    }
    return watch.idle();
  }
}
