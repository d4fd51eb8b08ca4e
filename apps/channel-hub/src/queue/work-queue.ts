import type { native } from '@groupcast/protocol';
import { ItemOrder } from './item-order.ts';
import { ATTEMPT_MAX, itemBytes } from './queue-limits.ts';

/** Kind of an item's bytes. `php`: a serialized value that only the PHP dialect sends as it is. */
export type ItemKind = native.PayloadKind | 'php';

/** The part of an item that its producer gives. */
export interface ItemContent {
  readonly kind: ItemKind;
  readonly payload: Uint8Array;
  /** Identifies repetitions of the item, or ''. */
  readonly messageId: string;
}

/** An item on its way to a consumer. Its outcome names queue, id and attempt. */
export interface ItemDelivery extends ItemContent {
  readonly queue: string;
  readonly id: number;
  /** Number of this delivery of the item, from 1. */
  readonly attempt: number;
}

export interface ItemReceiver {
  /** May close its consumer, or end leases, within this call. */
  deliver(item: ItemDelivery): void;
}

/** One piece of work: `waiting` in the order of its queue, `leased` to a consumer, or `gone`. */
export class WorkItem {
  readonly id: number;
  /** Place in the order of the queue: the id, until the item is put to the end. */
  rank: number;
  readonly kind: ItemKind;
  readonly payload: Uint8Array;
  readonly messageId: string;
  /** Bytes that the item counts for in the limits. */
  readonly bytes: number;
  readonly enqueuedAtMs: number;
  state: 'waiting' | 'leased' | 'gone' = 'waiting';
  /** Number of deliveries that left the hub. */
  attempt = 0;
  /** Watch of the last delivery; undefined when that was withdrawn. */
  watch: Watch | undefined;
  /** End of the lease, in milliseconds of the clock. */
  deadlineMs = 0;

  constructor(id: number, { kind, payload, messageId }: ItemContent, enqueuedAtMs: number) {
    this.id = id;
    this.rank = id;
    this.kind = kind;
    this.payload = payload;
    this.messageId = messageId;
    this.bytes = itemBytes(payload, messageId);
    this.enqueuedAtMs = enqueuedAtMs;
  }
}

/** Number of items that may still be delivered. Each watch has its own, or several share one. */
export class Credit {
  /** Whether the end of a lease adds 1; otherwise only the owner of the credit adds to it. */
  readonly refills: boolean;
  /** Watches that spend it; the one that was served longest ago is first. */
  readonly watches: Set<Watch> = new Set();
  /** Negative after the owner reduced it below what is in lease. */
  count = 0;
  /** Items in lease that it was spent on. */
  leased = 0;
  readonly #onUnused: () => void;

  /** `onUnused` is called when the last watch or lease ends, and must not call into queues. */
  constructor(refills: boolean, onUnused: () => void = () => {}) {
    this.refills = refills;
    this.#onUnused = onUnused;
  }

  get isUnused(): boolean {
    return this.watches.size === 0 && this.leased === 0;
  }

  /** Calls `onUnused` if the end of a watch or lease left the credit unused. */
  checkUnused(): void {
    if (this.isUnused) this.#onUnused();
  }
}

/** The state of a consumer: its watches, and the items that it has in lease. */
export class ConsumerState {
  readonly receiver: ItemReceiver;
  /** Whether an item is done when it is delivered. */
  readonly autoAck: boolean;
  /** Watches by the name of the queue. */
  readonly watches: Map<string, Watch> = new Map();
  readonly leases: Set<WorkItem> = new Set();
  readonly #leasedBytesMax: number;
  #leasedBytes = 0;
  #wasFull = false;

  constructor(receiver: ItemReceiver, autoAck: boolean, leasedBytesMax: number) {
    this.receiver = receiver;
    this.autoAck = autoAck;
    this.#leasedBytesMax = leasedBytesMax;
  }

  /** Whether the item fits the limit of leased bytes. A single item always does. */
  hasRoomFor(item: WorkItem): boolean {
    const hasRoom = this.leases.size === 0 || this.#leasedBytes + item.bytes <= this.#leasedBytesMax;
    if (!hasRoom) this.#wasFull = true;
    return hasRoom;
  }

  hold(item: WorkItem): void {
    this.leases.add(item);
    this.#leasedBytes += item.bytes;
  }

  /** Returns whether an item was held back for want of room, and may fit now. */
  release(item: WorkItem): boolean {
    const wasFull = this.#wasFull;
    this.leases.delete(item);
    this.#leasedBytes -= item.bytes;
    this.#wasFull = false;
    return wasFull;
  }
}

/** A consumer's request for the items of one queue. */
export class Watch {
  readonly queue: WorkQueue;
  readonly consumer: ConsumerState;
  readonly credit: Credit;

  constructor(queue: WorkQueue, consumer: ConsumerState, credit: Credit) {
    this.queue = queue;
    this.consumer = consumer;
    this.credit = credit;
  }

  /** Whether the consumer can receive the item now. If not, it wakes the watch when it can. */
  hasRoomFor(item: WorkItem): boolean {
    return this.credit.count > 0 && this.consumer.hasRoomFor(item);
  }

  attach(): void {
    this.queue.watches.add(this);
    this.consumer.watches.set(this.queue.name, this);
    this.credit.watches.add(this);
  }

  detach(): void {
    this.queue.watches.delete(this);
    this.queue.ready.delete(this);
    this.credit.watches.delete(this);
    this.consumer.watches.delete(this.queue.name);
    this.credit.checkUnused();
  }
}

/** One queue: its items and its watches. */
export class WorkQueue {
  readonly name: string;
  /** Whether this is a dead-letter queue. */
  readonly isDead: boolean;
  readonly watches: Set<Watch> = new Set();
  /** Watches that may have room, in the order in which they are served. */
  readonly ready: Set<Watch> = new Set();
  /** Waiting items. */
  readonly order: ItemOrder<WorkItem> = new ItemOrder();
  /** Items that were delivered and are not done: in lease, or back in the order. */
  readonly tried: Map<number, WorkItem> = new Map();
  #leased = 0;
  #bytes = 0;

  constructor(name: string, isDead: boolean) {
    this.name = name;
    this.isDead = isDead;
  }

  /** Number of items, waiting or in lease. */
  get size(): number {
    return this.order.size + this.#leased;
  }

  get leased(): number {
    return this.#leased;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isUnused(): boolean {
    return this.size === 0 && this.watches.size === 0;
  }

  add(item: WorkItem): void {
    this.#bytes += item.bytes;
    this.order.add(item);
  }

  /** Takes the first item out of the order; the caller delivers it. */
  lease(): WorkItem | undefined {
    const item = this.order.takeFirst();
    if (item === undefined) return undefined;
    item.state = 'leased';
    item.attempt = Math.min(item.attempt + 1, ATTEMPT_MAX);
    this.#leased += 1;
    this.tried.set(item.id, item);
    return item;
  }

  /** Returns a leased item to its place in the order. */
  requeue(item: WorkItem): void {
    this.#endLease(item);
    this.order.putBack(item);
  }

  /** Puts a leased item behind all others. `rank` must be higher than theirs. */
  requeueLast(item: WorkItem, rank: number): void {
    this.#endLease(item);
    item.rank = rank;
    this.order.add(item);
  }

  /** Undoes a lease and its attempt. Without a watch, no outcome of the item counts meanwhile. */
  withdraw(item: WorkItem): void {
    this.requeue(item);
    item.attempt -= 1;
    item.watch = undefined;
    this.tried.delete(item.id);
  }

  /** Removes an item that was delivered, in lease or not. */
  remove(item: WorkItem): void {
    if (item.state === 'leased') this.#leased -= 1;
    else this.order.remove(item);
    this.tried.delete(item.id);
    this.#forget(item);
  }

  /** Drops the first waiting item, if there is one. */
  dropFirst(): WorkItem | undefined {
    const item = this.order.takeFirst();
    if (item === undefined) return undefined;
    this.tried.delete(item.id);
    this.#forget(item);
    return item;
  }

  #endLease(item: WorkItem): void {
    item.state = 'waiting';
    this.#leased -= 1;
  }

  #forget(item: WorkItem): void {
    item.state = 'gone';
    this.#bytes -= item.bytes;
  }
}
