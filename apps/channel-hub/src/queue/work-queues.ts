import { isQueueName, ProtocolError, limits as wire } from '@groupcast/protocol';
import { Consumer, type ConsumerOptions, type ItemReceiver } from './consumer.ts';
import type { Credit } from './credit.ts';
import { type ItemKind, WorkItem } from './queue-item.ts';
import { ITEM_OVERHEAD_BYTES, QUEUE_DEFAULTS, type QueueLimits } from './queue-limits.ts';
import { noCounts, type QueueRow, type QueueStats } from './queue-stats.ts';
import { QueueTable } from './queue-table.ts';
import { Watch } from './watch.ts';
import type { WorkQueue } from './work-queue.ts';

/**
 * Queues of work: each item is handed to one consumer, in the order in which they came, until one says that it is done. Knows no sockets and has
 * no timer. After each call all that can be handed out is.
 *
 *     waiting -> leased -> gone (done)
 *        ^         |
 *        +---------+ never left, failed, expired, consumer gone; after the last attempt -> the dead-letter queue
 */
export class WorkQueues {
  readonly limits: QueueLimits;
  readonly #clock: () => number;
  readonly #table: QueueTable;
  /** All leases, in the order in which they end: all last equally long. */
  readonly #leases = new Set<WorkItem>();
  /** Queues in which something may be to be handed out. */
  readonly #unsettled = new Set<WorkQueue>();
  readonly #counts = noCounts();
  #bytes = 0;
  #lastId = 0;
  #isSettling = false;
  #isStopped = false;

  /** `clock`: milliseconds that never go back. */
  constructor(limits: Partial<QueueLimits> = {}, clock: () => number = () => performance.now()) {
    this.limits = { ...QUEUE_DEFAULTS, ...limits };
    this.#table = new QueueTable(this.limits.queuesMax);
    this.#clock = clock;
  }

  /**
   * The payload is copied. Answers why the item is refused, if it is: `bad_queue`, `bad_length`, `queue_full`, or `hub_unavailable`
   * when the hub is about to end.
   */
  enqueue(name: string, kind: ItemKind, payload: Uint8Array): ProtocolError | undefined {
    const refusal = this.#refusalOf(name, payload.length + ITEM_OVERHEAD_BYTES);
    if (refusal !== undefined) {
      this.#counts.refused += 1;
      return refusal;
    }
    this.#counts.enqueued += 1;
    // A copy, or it would keep all that was read with it. Not `slice`: that of a Buffer copies nothing.
    this.#add(this.#table.obtain(name), kind, new Uint8Array(payload));
    this.#settle();
    return undefined;
  }

  /** A new consumer, which watches nothing yet. */
  addConsumer(taker: ItemReceiver, options: ConsumerOptions = {}): Consumer {
    return new Consumer(this, taker, options);
  }

  /** Takes back what was not done in time. To be called often. */
  tick(): void {
    const nowMs = this.#clock();
    for (const item of this.#leases) {
      if (item.deadlineMs > nowMs) break;
      this.#counts.expired += 1;
      this.#takeBack(item);
    }
    this.#settle();
  }

  /** Hands out nothing any more, and takes nothing: the hub is about to end. */
  stop(): void {
    this.#isStopped = true;
  }

  stats(): QueueStats {
    const gauges = this.#table.gauges(this.#clock());
    return { ...this.#counts, ...gauges, leased: this.#leases.size, bytes: this.#bytes };
  }

  /** The longest queues, so many of them. */
  rows(countMax: number): readonly QueueRow[] {
    return this.#table.rows(countMax, this.#clock());
  }

  /** For Consumer. */
  watch(name: string, consumer: Consumer, credit: Credit): ProtocolError | undefined {
    const known = consumer.watches.get(name);
    if (known?.credit === credit) return undefined;
    if (known === undefined && !this.#table.hasRoomFor(name)) {
      return new ProtocolError(
        'queue_limit',
        `There are ${this.limits.queuesMax} queues, as many as may be.`,
      );
    }
    const queue = this.#table.obtain(name);
    if (known !== undefined) this.#removeWatch(known);
    const watch = new Watch(queue, consumer, credit);
    queue.watches.add(watch);
    consumer.watches.set(name, watch);
    credit.watches.add(watch);
    this.#wake(watch);
    this.#settle();
    return undefined;
  }

  /** For Consumer. */
  unwatch(name: string, consumer: Consumer): boolean {
    const watch = consumer.watches.get(name);
    if (watch === undefined) return false;
    this.#removeWatch(watch);
    this.#table.dropIfUnused(watch.queue);
    return true;
  }

  /** For Consumer. */
  addCredit(credit: Credit, count: number): void {
    this.#addCredit(credit, count);
    this.#settle();
  }

  /** For Consumer. */
  done(consumer: Consumer, name: string, id: number, attempt: number): boolean {
    const queue = this.#table.get(name);
    const item = queue?.tried.get(id);
    if (queue === undefined || item?.attempt !== attempt || item.watch?.consumer !== consumer) return false;
    this.#counts.done += 1;
    if (item.state === 'leased') this.#endLease(item);
    this.#remove(queue, item);
    this.#settle();
    return true;
  }

  /** For Consumer. */
  failed(consumer: Consumer, name: string, id: number, attempt: number): boolean {
    const item = this.#leaseOf(consumer, name, id, attempt);
    if (item === undefined) return false;
    this.#counts.failed += 1;
    // Nothing takes it out of a dead-letter queue: handed out again at once, it would fail again and again without an end.
    if (item.watch?.queue.isDead !== true) this.#takeBack(item);
    this.#settle();
    return true;
  }

  /** For Consumer. */
  withdraw(consumer: Consumer, name: string, id: number, attempt: number): boolean {
    const item = this.#leaseOf(consumer, name, id, attempt);
    const queue = item?.watch?.queue;
    if (item === undefined || queue === undefined) return false;
    this.#endLease(item);
    queue.withdraw(item);
    this.#unsettled.add(queue);
    this.#settle();
    return true;
  }

  /** For Consumer. */
  leave(consumer: Consumer): void {
    const watches = [...consumer.watches.values()];
    for (const watch of watches) this.#removeWatch(watch);
    for (const item of consumer.leases) this.#takeBack(item);
    for (const { queue } of watches) this.#table.dropIfUnused(queue);
    this.#settle();
  }

  #leaseOf(consumer: Consumer, name: string, id: number, attempt: number): WorkItem | undefined {
    const item = this.#table.get(name)?.tried.get(id);
    return item?.attempt === attempt && consumer.leases.has(item) ? item : undefined;
  }

  #refusalOf(name: string, bytes: number): ProtocolError | undefined {
    if (!isQueueName(name)) return new ProtocolError('bad_queue');
    const { itemsMax, bytesMax, totalBytesMax, queuesMax } = this.limits;
    if (this.#isStopped)
      return new ProtocolError('hub_unavailable', 'The hub is about to end. Send it again later.');
    const itemBytesMax = Math.min(bytesMax, totalBytesMax);
    if (bytes > itemBytesMax) return tooLong(bytes, itemBytesMax);
    const queue = this.#table.get(name);
    if ((queue?.size ?? 0) >= itemsMax) return full(`The queue has ${itemsMax} items, as many as may be.`);
    if ((queue?.bytes ?? 0) + bytes > bytesMax) return full(`The queue may take ${bytesMax} bytes.`);
    if (this.#bytes + bytes > totalBytesMax)
      return full(`All queues together may take ${totalBytesMax} bytes.`);
    if (!this.#table.hasRoomFor(name)) return full(`There are ${queuesMax} queues, as many as may be.`);
    return undefined;
  }

  #add(queue: WorkQueue, kind: ItemKind, payload: Uint8Array): void {
    const item = new WorkItem(this.#nextId(), kind, payload, this.#clock());
    this.#bytes += item.bytes;
    queue.add(item);
    this.#unsettled.add(queue);
  }

  /** For items, and for their turns. */
  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #remove(queue: WorkQueue, item: WorkItem): void {
    queue.remove(item);
    this.#bytes -= item.bytes;
    this.#table.dropIfUnused(queue);
  }

  #removeWatch(watch: Watch): void {
    watch.queue.watches.delete(watch);
    watch.queue.ready.delete(watch);
    watch.credit.watches.delete(watch);
    watch.consumer.watches.delete(watch.queue.name);
    watch.credit.hasLost();
  }

  #wake(watch: Watch): void {
    if (watch.credit.count <= 0) return;
    watch.queue.ready.add(watch);
    this.#unsettled.add(watch.queue);
  }

  #addCredit(credit: Credit, count: number): void {
    credit.count += count;
    for (const watch of credit.watches) this.#wake(watch);
  }

  #endLease(item: WorkItem): void {
    this.#leases.delete(item);
    const { watch } = item;
    if (watch === undefined) return;
    const { consumer, credit } = watch;
    const hasRoomAgain = consumer.release(item);
    credit.leased -= 1;
    credit.hasLost();
    if (credit.refills) this.#addCredit(credit, 1);
    if (hasRoomAgain) for (const one of consumer.watches.values()) this.#wake(one);
  }

  #takeBack(item: WorkItem): void {
    const queue = item.watch?.queue;
    if (queue === undefined) return;
    this.#endLease(item);
    if (!queue.isDead && item.attempt >= this.limits.attemptsMax) {
      this.#bury(queue, item);
      return;
    }
    // Nothing takes it out of a dead-letter queue: in front, it would hold up all others there as long as nobody can do it.
    if (queue.isDead) queue.requeueLast(item, this.#nextId());
    else queue.requeue(item);
    this.#unsettled.add(queue);
  }

  #bury(queue: WorkQueue, item: WorkItem): void {
    this.#counts.dead += 1;
    this.#remove(queue, item);
    const name = `${wire.DEAD_QUEUE_PREFIX}${queue.name}`;
    if (!this.#table.hasRoomFor(name)) {
      this.#counts.deadDropped += 1;
      return;
    }
    const dead = this.#table.obtain(name);
    const { itemsMax, bytesMax } = this.limits;
    while (dead.size >= itemsMax || dead.bytes + item.bytes > bytesMax) {
      this.#counts.deadDropped += 1;
      const dropped = dead.dropFirst();
      if (dropped === undefined) return; // All that are there are being looked at.
      this.#bytes -= dropped.bytes;
    }
    this.#add(dead, item.kind, item.payload);
  }

  /** Hands out all that can be, one item of each queue at a time. What foreign code does meanwhile is seen to before this ends. */
  #settle(): void {
    if (this.#isSettling || this.#isStopped) return;
    this.#isSettling = true;
    try {
      for (const queue of this.#unsettled) {
        this.#unsettled.delete(queue);
        this.#handOut(queue);
      }
    } finally {
      this.#isSettling = false;
    }
  }

  #handOut(queue: WorkQueue): void {
    const { first } = queue.order;
    if (first === undefined) return;
    for (const watch of queue.ready) {
      queue.ready.delete(watch);
      if (!watch.hasRoomFor(first)) continue;
      this.#unsettled.add(queue);
      this.#handTo(queue, watch);
      return;
    }
  }

  #handTo(queue: WorkQueue, watch: Watch): void {
    const { consumer, credit } = watch;
    const item = queue.lease();
    if (item === undefined) return;
    // What was withdrawn has no watch, and was counted when this attempt was made first.
    if (item.attempt > 1 && item.watch !== undefined) this.#counts.redelivered += 1;
    item.watch = watch;
    credit.count -= 1;
    // To the end: the next item is another consumer's, and the next credit another queue's.
    if (credit.count > 0) queue.ready.add(watch);
    this.#moveToEnd(watch);
    const handed = {
      queue: queue.name,
      id: item.id,
      attempt: item.attempt,
      kind: item.kind,
      payload: item.payload,
    };
    if (consumer.autoAck) {
      this.#counts.done += 1;
      this.#remove(queue, item);
    } else {
      item.deadlineMs = this.#clock() + this.limits.visibilityMs;
      this.#leases.add(item);
      credit.leased += 1;
      consumer.hold(item);
    }
    // Foreign code, last of all: it may do anything here.
    consumer.receiver.deliver(handed);
  }

  #moveToEnd(watch: Watch): void {
    const { credit } = watch;
    if (credit.watches.size < 2) return;
    credit.watches.delete(watch);
    credit.watches.add(watch);
  }
}

function tooLong(bytes: number, bytesMax: number): ProtocolError {
  return new ProtocolError(
    'bad_length',
    `The item takes ${bytes} bytes of its queue; the limit is ${bytesMax}. Send less at once.`,
  );
}

function full(sentence: string): ProtocolError {
  return new ProtocolError('queue_full', `${sentence} Send it again later.`);
}
