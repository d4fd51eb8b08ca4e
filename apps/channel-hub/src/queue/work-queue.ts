import { ItemOrder } from './item-order.ts';
import type { WorkItem } from './queue-item.ts';
import { ATTEMPT_MAX } from './queue-limits.ts';
import type { Watch } from './watch.ts';

/** One queue: its items, and who wants them. */
export class WorkQueue {
  readonly name: string;
  /** Whether it holds what another queue has given up. */
  readonly isDead: boolean;
  readonly watches: Set<Watch> = new Set();
  /** Those that may have room, whoever is next first. */
  readonly ready: Set<Watch> = new Set();
  /** Waiting items. */
  readonly order: ItemOrder = new ItemOrder();
  /** Items that were handed out and are not done: in lease, or back in the order. */
  readonly tried: Map<number, WorkItem> = new Map();
  #leased = 0;
  #bytes = 0;

  constructor(name: string, isDead: boolean) {
    this.name = name;
    this.isDead = isDead;
  }

  /** Items, in lease or not. */
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

  /** Takes the first item out of the order, and to its consumer. */
  lease(): WorkItem | undefined {
    const item = this.order.takeFirst();
    if (item === undefined) return undefined;
    item.state = 'leased';
    item.attempt = Math.min(item.attempt + 1, ATTEMPT_MAX);
    this.#leased += 1;
    this.tried.set(item.id, item);
    return item;
  }

  /** An item in lease waits again, where it stood. */
  requeue(item: WorkItem): void {
    this.#endLease(item);
    this.order.putBack(item);
  }

  /** An item in lease waits again, behind all others. `turn`: higher than theirs. */
  requeueLast(item: WorkItem, turn: number): void {
    this.#endLease(item);
    item.rank = turn;
    this.order.add(item);
  }

  /** An item in lease waits again, as if this attempt had not been. The watch before is forgotten, so that nothing ends the item meanwhile. */
  withdraw(item: WorkItem): void {
    this.requeue(item);
    item.attempt -= 1;
    item.watch = undefined;
    this.tried.delete(item.id);
  }

  /** Takes an item out that was handed out, wherever it is now. */
  remove(item: WorkItem): void {
    if (item.state === 'leased') this.#leased -= 1;
    else this.order.remove(item);
    this.tried.delete(item.id);
    this.#forget(item);
  }

  /** Drops the first item that waits, if there is one. */
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
