import type { Consumer, ConsumerOptions, ItemReceiver } from '../src/queue/consumer.ts';
import { Credit } from '../src/queue/credit.ts';
import type { ItemDelivery } from '../src/queue/queue-item.ts';
import type { WorkQueues } from '../src/queue/work-queues.ts';

/** A consumer that keeps what it gets, and does what it is told. */
export class TestConsumer implements ItemReceiver {
  readonly consumer: Consumer;
  /** What it got and has not answered. */
  readonly items: ItemDelivery[] = [];
  /** What it got, ever: `TEXT/ATTEMPT`. */
  readonly got: string[] = [];
  onDelivery: (item: ItemDelivery) => void = () => {};

  constructor(queues: WorkQueues, options: ConsumerOptions = {}) {
    this.consumer = queues.addConsumer(this, options);
  }

  /** Watches as native peers do: so many items at a time. */
  watch(queue: string, concurrency = 1): this {
    const credit = new Credit(true);
    this.consumer.addCredit(credit, concurrency);
    const refusal = this.consumer.watch(queue, credit);
    if (refusal !== undefined) throw refusal;
    return this;
  }

  deliver(item: ItemDelivery): void {
    this.items.push(item);
    this.got.push(`${Buffer.from(item.payload).toString()}/${item.attempt}`);
    this.onDelivery(item);
  }

  /** Answers the item that it has had longest, and has not answered. */
  done(): boolean {
    return this.#answer((item) => this.consumer.done(item.queue, item.id, item.attempt));
  }

  fail(): boolean {
    return this.#answer((item) => this.consumer.failed(item.queue, item.id, item.attempt));
  }

  withdraw(): boolean {
    return this.#answer((item) => this.consumer.withdraw(item.queue, item.id, item.attempt));
  }

  #answer(answer: (item: ItemDelivery) => boolean): boolean {
    const item = this.items.shift();
    if (item === undefined) throw new Error('It has no item.');
    return answer(item);
  }
}
