import type { Consumer, ConsumerOptions, ItemTaker } from '../src/queue/consumer.ts';
import { Credit } from '../src/queue/credit.ts';
import type { HandedItem } from '../src/queue/queue-item.ts';
import type { Queues } from '../src/queue/queues.ts';

/** A consumer that keeps what it gets, and does what it is told. */
export class TestConsumer implements ItemTaker {
  readonly consumer: Consumer;
  /** What it got and has not answered. */
  readonly items: HandedItem[] = [];
  /** What it got, ever: `TEXT/ATTEMPT`. */
  readonly got: string[] = [];
  onTake: (item: HandedItem) => void = () => {};

  constructor(queues: Queues, options: ConsumerOptions = {}) {
    this.consumer = queues.join(this, options);
  }

  /** Watches as native peers do: so many items at a time. */
  watch(queue: string, concurrency = 1): this {
    const credit = new Credit(true);
    this.consumer.addCredit(credit, concurrency);
    const refusal = this.consumer.watch(queue, credit);
    if (refusal !== undefined) throw refusal;
    return this;
  }

  take(item: HandedItem): void {
    this.items.push(item);
    this.got.push(`${Buffer.from(item.payload).toString()}/${item.attempt}`);
    this.onTake(item);
  }

  /** Answers the item that it has had longest, and has not answered. */
  done(): boolean {
    return this.#answer((item) => this.consumer.done(item.queue, item.id, item.attempt));
  }

  fail(): boolean {
    return this.#answer((item) => this.consumer.failed(item.queue, item.id, item.attempt));
  }

  giveBack(): boolean {
    return this.#answer((item) => this.consumer.giveBack(item.queue, item.id, item.attempt));
  }

  #answer(answer: (item: HandedItem) => boolean): boolean {
    const item = this.items.shift();
    if (item === undefined) throw new Error('It has no item.');
    return answer(item);
  }
}
