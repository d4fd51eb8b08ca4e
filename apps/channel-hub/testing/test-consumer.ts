import type { Consumer, ConsumerOptions } from '../src/queue/consumer.ts';
import { Credit, type ItemDelivery, type ItemReceiver } from '../src/queue/work-queue.ts';
import type { WorkQueues } from '../src/queue/work-queues.ts';

/** A consumer that records its items and reports outcomes on demand. */
export class TestConsumer implements ItemReceiver {
  readonly consumer: Consumer;
  /** Items without an outcome yet. */
  readonly items: ItemDelivery[] = [];
  /** All deliveries: `TEXT/ATTEMPT`. */
  readonly got: string[] = [];
  onDelivery: (item: ItemDelivery) => void = () => {};

  constructor(queues: WorkQueues, options: ConsumerOptions = {}) {
    this.consumer = queues.addConsumer(this, options);
  }

  /** Watches as native peers do, `concurrency` items at a time. */
  watch(queue: string, concurrency = 1): this {
    const credit = new Credit(true);
    this.consumer.addCredit(credit, concurrency);
    const error = this.consumer.watch(queue, credit);
    if (error !== undefined) throw error;
    return this;
  }

  deliver(item: ItemDelivery): void {
    this.items.push(item);
    this.got.push(`${Buffer.from(item.payload).toString()}/${item.attempt}`);
    this.onDelivery(item);
  }

  /** Reports the oldest item without an outcome as done. */
  done(): boolean {
    return this.#report((item) => this.consumer.done(item.queue, item.id, item.attempt));
  }

  fail(): boolean {
    return this.#report((item) => this.consumer.failed(item.queue, item.id, item.attempt));
  }

  withdraw(): boolean {
    return this.#report((item) => this.consumer.withdraw(item.queue, item.id, item.attempt));
  }

  #report(report: (item: ItemDelivery) => boolean): boolean {
    const item = this.items.shift();
    if (item === undefined) throw new Error('All items have an outcome.');
    return report(item);
  }
}
