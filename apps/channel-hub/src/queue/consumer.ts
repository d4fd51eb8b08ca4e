import { isWatchableQueueName, ProtocolError } from '@groupcast/protocol';
import type { Credit } from './credit.ts';
import type { ItemDelivery, WorkItem } from './queue-item.ts';
import type { WorkQueues } from './work-queues.ts';
import type { Watch } from './watch.ts';

/** Who gets what is handed out. May leave, or end leases, in this very call. */
export interface ItemReceiver {
  deliver(item: ItemDelivery): void;
}

export interface ConsumerOptions {
  /** Whether an item is done when it is handed out: at most once. Its credit does not come back by itself. Default false. */
  readonly autoAck?: boolean;
}

/** One who works on items: what it watches, and what it has in lease. Usually a session. */
export class Consumer {
  readonly receiver: ItemReceiver;
  readonly autoAck: boolean;
  /** By the queue's name. */
  readonly watches: Map<string, Watch> = new Map();
  readonly leases: Set<WorkItem> = new Set();
  readonly #queues: WorkQueues;
  #leasedBytes = 0;
  #wasFull = false;
  #hasLeft = false;

  /** Use `Queues.join`. */
  constructor(queues: WorkQueues, taker: ItemReceiver, { autoAck = false }: ConsumerOptions) {
    this.#queues = queues;
    this.receiver = taker;
    this.autoAck = autoAck;
  }

  get leasedBytes(): number {
    return this.#leasedBytes;
  }

  /**
   * Wants the items of a queue, as long as there is credit; to watch again with other credit changes that. Answers why that is refused, if it
   * is: `bad_queue` or `queue_limit`.
   */
  watch(queue: string, credit: Credit): ProtocolError | undefined {
    if (this.#hasLeft) return undefined;
    if (!isWatchableQueueName(queue)) return new ProtocolError('bad_queue');
    const { watchesMax } = this.#queues.limits;
    if (!this.watches.has(queue) && this.watches.size >= watchesMax) {
      return new ProtocolError('queue_limit', `A session watches at most ${watchesMax} queues.`);
    }
    return this.#queues.watch(queue, this, credit);
  }

  /** Wants no more of a queue. What is in lease stays in lease. Answers whether it was watched. */
  unwatch(queue: string): boolean {
    return this.#queues.unwatch(queue, this);
  }

  /** So many items more may be handed out; or fewer, if negative. */
  addCredit(credit: Credit, count: number): void {
    this.#queues.addCredit(credit, count);
  }

  /** An item is done. False, and nothing happens, if it was handed out again since, is done, or was never this consumer's. */
  done(queue: string, id: number, attempt: number): boolean {
    return this.#queues.done(this, queue, id, attempt);
  }

  /** An item could not be done, and is handed out again. False, and nothing happens, if it is not in lease here, in this attempt. */
  failed(queue: string, id: number, attempt: number): boolean {
    return this.#queues.failed(this, queue, id, attempt);
  }

  /**
   * An item that was handed out never left the hub: it goes back to its place, and this attempt was none. So its number comes again, but nobody
   * outside has seen it; until then no answer to the item counts. False, and nothing happens, if it is not in lease here, in this attempt. With
   * `autoAck` it never is: what was handed out and did not leave is lost.
   */
  withdraw(queue: string, id: number, attempt: number): boolean {
    return this.#queues.withdraw(this, queue, id, attempt);
  }

  /** Is gone: gives back all there is in lease, and watches nothing any more. */
  close(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#queues.leave(this);
  }

  /** Whether it may have an item in lease beside the others, as far as bytes go. */
  hasRoomFor(item: WorkItem): boolean {
    const { leasedBytesMax } = this.#queues.limits;
    const hasRoom = this.leases.size === 0 || this.#leasedBytes + item.bytes <= leasedBytesMax;
    if (!hasRoom) this.#wasFull = true;
    return hasRoom;
  }

  /** For Queues: the item is in lease here from now on. */
  hold(item: WorkItem): void {
    this.leases.add(item);
    this.#leasedBytes += item.bytes;
  }

  /** For Queues: the item is no more. Whether it may have room now where it had none. */
  release(item: WorkItem): boolean {
    const wasFull = this.#wasFull;
    this.leases.delete(item);
    this.#leasedBytes -= item.bytes;
    this.#wasFull = false;
    return wasFull;
  }
}
