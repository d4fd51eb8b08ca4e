import type { ProtocolError } from '@groupcast/protocol';
import type { Consumer } from './consumer.ts';
import { Credit } from './credit.ts';

interface QueueCredit {
  readonly credit: Credit;
  count: number;
}

/** How many items of each queue a peer works on at a time, for dialects in which it says so. */
export class Concurrency {
  /** Queues that are watched, and those of which items are in lease still: else to stop and watch again would give as many once more. */
  readonly #watched = new Map<string, QueueCredit>();

  get size(): number {
    return this.#watched.size;
  }

  /** Watches a queue, or changes how many come at a time. Answers why it is refused, if it is. */
  watch(consumer: Consumer, queue: string, count: number): ProtocolError | undefined {
    const watched = this.#watched.get(queue) ?? this.#add(queue);
    const { credit } = watched;
    const more = count - watched.count;
    watched.count = count;
    consumer.addCredit(credit, more);
    const refusal = consumer.watch(queue, credit);
    if (credit.isUnused) this.#watched.delete(queue);
    return refusal;
  }

  unwatch(consumer: Consumer, queue: string): void {
    consumer.unwatch(queue);
  }

  #add(queue: string): QueueCredit {
    const credit = new Credit(true, () => this.#watched.delete(queue));
    const watched = { credit, count: 0 };
    this.#watched.set(queue, watched);
    return watched;
  }
}
