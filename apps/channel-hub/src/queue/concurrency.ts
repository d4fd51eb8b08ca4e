import type { ProtocolError } from '@groupcast/protocol';
import type { Consumer } from './consumer.ts';
import { Credit } from './work-queue.ts';

interface QueueCredit {
  readonly credit: Credit;
  count: number;
}

/** Credit by queue, for dialects in which a peer says how many items it processes at a time. */
export class Concurrency {
  /**
   * Credit of watched queues and of those with leases. Without the latter, unwatching and watching
   * again would double the items at a time.
   */
  readonly #credits = new Map<string, QueueCredit>();

  get size(): number {
    return this.#credits.size;
  }

  /** Watches a queue, or changes its concurrency. Returns the error if that is rejected. */
  watch(consumer: Consumer, queue: string, count: number): ProtocolError | undefined {
    const queueCredit = this.#credits.get(queue) ?? this.#add(queue);
    const { credit } = queueCredit;
    const more = count - queueCredit.count;
    queueCredit.count = count;
    consumer.addCredit(credit, more);
    const error = consumer.watch(queue, credit);
    if (credit.isUnused) this.#credits.delete(queue);
    return error;
  }

  unwatch(consumer: Consumer, queue: string): void {
    consumer.unwatch(queue);
  }

  #add(queue: string): QueueCredit {
    const credit = new Credit(true, () => this.#credits.delete(queue));
    const queueCredit = { credit, count: 0 };
    this.#credits.set(queue, queueCredit);
    return queueCredit;
  }
}
