import { limits as wire } from '@groupcast/protocol';
import { itemKey, MessageIds } from '../message-ids/message-ids.ts';
import type { QueueLimits } from './queue-limits.ts';
import { noCounts, type QueueCounts } from './queue-stats.ts';
import { QueueTable } from './queue-table.ts';
import { type Credit, type ItemContent, type Watch, WorkItem, type WorkQueue } from './work-queue.ts';

/**
 * Items, leases and the one loop that delivers. Its owners change state by several calls, and
 * `dispatch` then delivers all that can be delivered.
 */
export class Dispatcher {
  readonly limits: QueueLimits;
  readonly table: QueueTable;
  readonly counts: QueueCounts = noCounts();
  /** Message ids of items, by queue. */
  readonly ids: MessageIds;
  readonly #clock: () => number;
  /** All leases in the order in which they end: all last equally long. */
  readonly #leases = new Set<WorkItem>();
  /** Queues in which an item may be deliverable. */
  readonly #unsettled = new Set<WorkQueue>();
  #bytes = 0;
  #lastId = 0;
  #isDispatching = false;
  #isStopped = false;

  constructor(limits: QueueLimits, clock: () => number) {
    this.limits = limits;
    this.table = new QueueTable(limits.queuesMax);
    this.ids = new MessageIds(limits.dedupeMs, limits.dedupeIdsMax, clock);
    this.#clock = clock;
  }

  get leased(): number {
    return this.#leases.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Delivers no more. */
  stop(): void {
    this.#isStopped = true;
  }

  add(queue: WorkQueue, content: ItemContent): void {
    const item = new WorkItem(this.#nextNumber(), content, this.#clock());
    this.#bytes += item.bytes;
    queue.add(item);
    this.#unsettled.add(queue);
  }

  remove(queue: WorkQueue, item: WorkItem): void {
    queue.remove(item);
    this.#bytes -= item.bytes;
    this.table.dropIfUnused(queue);
  }

  /** Looks at the watch in the next `dispatch`, if it has credit. */
  wake(watch: Watch): void {
    if (watch.credit.count <= 0) return;
    watch.queue.ready.add(watch);
    this.#unsettled.add(watch.queue);
  }

  addCredit(credit: Credit, count: number): void {
    credit.count += count;
    for (const watch of credit.watches) this.wake(watch);
  }

  endLease(item: WorkItem): void {
    this.#leases.delete(item);
    const { watch } = item;
    if (watch === undefined) return;
    const { consumer, credit } = watch;
    const hasRoomAgain = consumer.release(item);
    credit.leased -= 1;
    credit.checkUnused();
    if (credit.refills) this.addCredit(credit, 1);
    if (hasRoomAgain) for (const one of consumer.watches.values()) this.wake(one);
  }

  /** Ends a lease without success. The item waits again or, after its last attempt, is dead. */
  requeue(item: WorkItem): void {
    const queue = item.watch?.queue;
    if (queue === undefined) return;
    this.endLease(item);
    if (!queue.isDead && item.attempt >= this.limits.attemptsMax) {
      this.#bury(queue, item);
      return;
    }
    // Items never leave a dead-letter queue by failing: in front, one would block all others.
    if (queue.isDead) queue.requeueLast(item, this.#nextNumber());
    else queue.requeue(item);
    this.#unsettled.add(queue);
  }

  /** Undoes a lease and its attempt. */
  withdraw(queue: WorkQueue, item: WorkItem): void {
    this.endLease(item);
    queue.withdraw(item);
    this.#unsettled.add(queue);
  }

  /** Ends the leases that are over. */
  expire(): void {
    const nowMs = this.#clock();
    for (const item of this.#leases) {
      if (item.deadlineMs > nowMs) break;
      this.counts.expired += 1;
      this.requeue(item);
    }
  }

  /**
   * Delivers all that can be delivered, one item of each queue at a time. Receivers may call back;
   * the changes that they make are dispatched before this returns.
   */
  dispatch(): void {
    if (this.#isDispatching || this.#isStopped) return;
    this.#isDispatching = true;
    try {
      for (const queue of this.#unsettled) {
        this.#unsettled.delete(queue);
        this.#deliverOneOf(queue);
      }
    } finally {
      this.#isDispatching = false;
    }
  }

  #deliverOneOf(queue: WorkQueue): void {
    const { first } = queue.order;
    if (first === undefined) return;
    for (const watch of queue.ready) {
      queue.ready.delete(watch);
      if (!watch.hasRoomFor(first)) continue;
      this.#unsettled.add(queue);
      this.#deliver(queue, watch);
      return;
    }
  }

  #deliver(queue: WorkQueue, watch: Watch): void {
    const { consumer, credit } = watch;
    const item = queue.lease();
    if (item === undefined) return;
    // A withdrawn item has no watch; its attempt was counted the first time.
    if (item.attempt > 1 && item.watch !== undefined) this.counts.redelivered += 1;
    item.watch = watch;
    credit.count -= 1;
    // Round-robin: the next item is another consumer's, and the next credit another queue's.
    if (credit.count > 0) queue.ready.add(watch);
    moveToEnd(watch);
    const { id, attempt, kind, payload, messageId } = item;
    const delivery = { queue: queue.name, id, attempt, kind, payload, messageId };
    if (consumer.autoAck) {
      this.counts.done += 1;
      this.remove(queue, item);
    } else {
      item.deadlineMs = this.#clock() + this.limits.visibilityMs;
      this.#leases.add(item);
      credit.leased += 1;
      consumer.hold(item);
    }
    // Last, with all state consistent: the receiver may call back.
    consumer.receiver.deliver(delivery);
  }

  #bury(queue: WorkQueue, item: WorkItem): void {
    this.counts.dead += 1;
    this.remove(queue, item);
    // A consumer of the dead-letter queue may enqueue it again with its id.
    if (item.messageId !== '') this.ids.forget(queue.name, itemKey(queue.name, item.messageId));
    const name = `${wire.DEAD_QUEUE_PREFIX}${queue.name}`;
    if (!this.table.hasRoomFor(name)) {
      this.counts.deadDropped += 1;
      return;
    }
    const dead = this.table.obtain(name);
    const { itemsMax, bytesMax } = this.limits;
    while (dead.size >= itemsMax || dead.bytes + item.bytes > bytesMax) {
      this.counts.deadDropped += 1;
      const dropped = dead.dropFirst();
      if (dropped === undefined) return; // All items of the dead-letter queue are in lease.
      this.#bytes -= dropped.bytes;
    }
    this.add(dead, item);
  }

  /** Returns the next number for ids and ranks. */
  #nextNumber(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}

function moveToEnd(watch: Watch): void {
  const { watches } = watch.credit;
  if (watches.size < 2) return;
  watches.delete(watch);
  watches.add(watch);
}
