import { isWatchableQueueName, limits, native, ProtocolError } from '@groupcast/protocol';
import type { Requests } from '../connection/requests.ts';
import {
  type QueueHandler,
  type QueueItem,
  QueueWatch,
  type QueueWatcher,
  type WatchOptions,
} from './queue-watch.ts';

/** What the client tells about its queues. */
export interface QueueWatchesEvents {
  /** A handler has thrown; the hub has been told that the item failed. */
  failed(item: QueueItem, error: unknown): void;
  /** The hub refused that a queue is watched. It is asked again every second. */
  refused(queue: string, error: ProtocolError): void;
}

/** What this client watches: asked for anew on each link. */
export class QueueWatches {
  readonly #requests: Requests;
  readonly #events: QueueWatchesEvents;
  readonly #watches = new Map<string, QueueWatch>();
  /** Which link it is: the outcome of an item belongs to the one on which it came. */
  #link = 0;

  constructor(requests: Requests, events: QueueWatchesEvents) {
    this.#requests = requests;
    this.#events = events;
  }

  /** Throws a ProtocolError: `bad_queue`, or `bad_field` for an invalid handler or concurrency, and for a queue that is watched already. */
  add(queue: string, handler: QueueHandler, { concurrency = 1 }: WatchOptions): QueueWatcher {
    if (!isWatchableQueueName(queue)) throw new ProtocolError('bad_queue');
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > limits.CONCURRENCY_MAX) {
      throw new ProtocolError(
        'bad_field',
        `concurrency must be an integer from 1 to ${limits.CONCURRENCY_MAX}.`,
      );
    }
    if (typeof handler !== 'function') {
      throw new ProtocolError('bad_field', 'handler must be a function that works on an item.');
    }
    if (this.#watches.has(queue)) {
      throw new ProtocolError(
        'bad_field',
        `This client watches the queue ${queue} already. Raise its concurrency.`,
      );
    }
    const watch = new QueueWatch(queue, handler, concurrency);
    this.#watches.set(queue, watch);
    this.#ask(watch);
    return { close: () => this.#remove(watch) };
  }

  /** A link stands. */
  resume(): void {
    for (const watch of this.#watches.values()) {
      watch.isRefusalTold = false;
      this.#ask(watch);
    }
  }

  /** The link is gone, and the hub has taken back what was under way on it. */
  suspend(): void {
    this.#link += 1;
  }

  /** Watches nothing any more. */
  clear(): void {
    this.#link += 1;
    this.#watches.clear();
  }

  /** What was refused is asked for again. */
  retry(): void {
    for (const watch of this.#watches.values()) if (watch.isRefused) this.#ask(watch);
  }

  /** An item came. */
  take(message: native.Item): void {
    const watch = this.#watches.get(message.queue);
    // It was on its way when the watch was closed.
    if (watch === undefined) this.#tell('failed', message);
    else void this.#work(watch, message);
  }

  async #work(watch: QueueWatch, message: native.Item): Promise<void> {
    const link = this.#link;
    watch.isRefusalTold = false;
    const { queue, kind, payload, attempt } = message;
    const item = { queue, kind, payload, attempt };
    try {
      await watch.run(item);
    } catch (error) {
      if (link === this.#link) this.#tell('failed', message);
      this.#events.failed(item, error);
      return;
    }
    if (link === this.#link) this.#tell('done', message);
  }

  /** Also to a hub that is about to end. */
  #tell(type: 'done' | 'failed', { queue, item, attempt }: native.Item): void {
    this.#requests.send(native.encodeItemResult({ type, queue, item, attempt }));
  }

  #ask(watch: QueueWatch): void {
    if (!this.#requests.isOpen) return;
    const { queue, concurrency } = watch;
    this.#requests.delete(watch.request);
    watch.request = this.#requests.nextNumber();
    watch.isRefused = false;
    this.#requests.add(watch.request, { rejected: (error) => this.#rejected(watch, error) });
    this.#requests.send(native.encodeWatch({ request: watch.request, queue, concurrency }));
  }

  #rejected(watch: QueueWatch, error: ProtocolError): void {
    const isNews = !watch.isRefusalTold;
    watch.isRefused = true;
    watch.isRefusalTold = true;
    if (isNews) this.#events.refused(watch.queue, error);
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
