import { isWatchableQueueName, ProtocolError } from '@groupcast/protocol';
import type { Dispatcher } from './dispatcher.ts';
import { ConsumerState, type Credit, type ItemReceiver, Watch, type WorkItem } from './work-queue.ts';

export interface ConsumerOptions {
  /**
   * Whether an item is done when it is delivered: at most once. Its credit does not refill. Default
   * false.
   */
  readonly autoAck?: boolean;
}

/** A consumer of items, usually a peer. */
export class Consumer {
  readonly #dispatcher: Dispatcher;
  readonly #state: ConsumerState;
  #isClosed = false;

  /** Use `WorkQueues.addConsumer`. */
  constructor(dispatcher: Dispatcher, receiver: ItemReceiver, { autoAck = false }: ConsumerOptions) {
    this.#dispatcher = dispatcher;
    this.#state = new ConsumerState(receiver, autoAck, dispatcher.limits.leasedBytesMax);
  }

  /** Watches by the name of the queue. */
  get watches(): ReadonlyMap<string, Watch> {
    return this.#state.watches;
  }

  /**
   * Receives the items of a queue while there is credit. Watching again replaces the credit.
   * Returns the error if that is rejected: `bad_queue` or `queue_limit`.
   */
  watch(name: string, credit: Credit): ProtocolError | undefined {
    if (this.#isClosed) return undefined;
    if (!isWatchableQueueName(name)) return new ProtocolError('bad_queue');
    const known = this.#state.watches.get(name);
    if (known?.credit === credit) return undefined;
    const error = known === undefined ? this.#limitError(name) : undefined;
    if (error !== undefined) return error;
    const queue = this.#dispatcher.table.obtain(name);
    known?.detach();
    const watch = new Watch(queue, this.#state, credit);
    watch.attach();
    this.#dispatcher.wake(watch);
    this.#dispatcher.dispatch();
    return undefined;
  }

  /** Receives no more items of a queue. Leases continue. Returns whether it was watched. */
  unwatch(name: string): boolean {
    const watch = this.#state.watches.get(name);
    if (watch === undefined) return false;
    watch.detach();
    this.#dispatcher.table.dropIfUnused(watch.queue);
    return true;
  }

  /** Allows `count` more items to be delivered; a negative `count` allows fewer. */
  addCredit(credit: Credit, count: number): void {
    this.#dispatcher.addCredit(credit, count);
    this.#dispatcher.dispatch();
  }

  /**
   * Ends an item with success. Returns false without any effect if the item was delivered again
   * since, is gone, or was never this consumer's.
   */
  done(name: string, id: number, attempt: number): boolean {
    const queue = this.#dispatcher.table.get(name);
    const item = queue?.tried.get(id);
    if (queue === undefined || item?.attempt !== attempt) return false;
    if (item.watch?.consumer !== this.#state) return false;
    this.#dispatcher.counts.done += 1;
    if (item.state === 'leased') this.#dispatcher.endLease(item);
    this.#dispatcher.remove(queue, item);
    this.#dispatcher.dispatch();
    return true;
  }

  /**
   * Returns an item that could not be processed; it is delivered again. Returns false without any
   * effect if this consumer does not have the item in lease, in this attempt.
   */
  failed(name: string, id: number, attempt: number): boolean {
    const item = this.#leaseOf(name, id, attempt);
    if (item === undefined) return false;
    this.#dispatcher.counts.failed += 1;
    // The lease of a dead letter goes on: delivered again at once, it would fail in a loop.
    if (item.watch?.queue.isDead !== true) this.#dispatcher.requeue(item);
    this.#dispatcher.dispatch();
    return true;
  }

  /**
   * Returns an item that never left the hub to its place and undoes the attempt, whose number is
   * then used again. Until the next delivery no outcome of the item counts. Returns false without
   * any effect if this consumer does not have the item in lease, in this attempt. With `autoAck` it
   * never has: a delivery that did not leave is lost.
   */
  withdraw(name: string, id: number, attempt: number): boolean {
    const item = this.#leaseOf(name, id, attempt);
    const queue = item?.watch?.queue;
    if (item === undefined || queue === undefined) return false;
    this.#dispatcher.withdraw(queue, item);
    this.#dispatcher.dispatch();
    return true;
  }

  /** Returns all leased items to their queues and ends all watches. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const watches = [...this.#state.watches.values()];
    for (const watch of watches) watch.detach();
    for (const item of this.#state.leases) this.#dispatcher.requeue(item);
    for (const { queue } of watches) this.#dispatcher.table.dropIfUnused(queue);
    this.#dispatcher.dispatch();
  }

  #leaseOf(name: string, id: number, attempt: number): WorkItem | undefined {
    const item = this.#dispatcher.table.get(name)?.tried.get(id);
    return item?.attempt === attempt && this.#state.leases.has(item) ? item : undefined;
  }

  #limitError(name: string): ProtocolError | undefined {
    const { limits, table } = this.#dispatcher;
    if (this.#state.watches.size >= limits.watchesMax) {
      const sentence = `A peer can watch at most ${limits.watchesMax} queues. Unwatch one first.`;
      return new ProtocolError('queue_limit', sentence);
    }
    if (table.hasRoomFor(name)) return undefined;
    const sentence = `The limit of ${limits.queuesMax} queues is reached. Empty or unwatch one first.`;
    return new ProtocolError('queue_limit', sentence);
  }
}
