import type { ProtocolError } from '@groupcast/protocol';
import type { Consumer } from '../queue/consumer.ts';
import { Credit } from '../queue/credit.ts';

interface Watched {
  readonly credit: Credit;
  count: number;
}

/** How many items of each queue a peer works on at a time, for dialects in which it says so. */
export class Concurrency {
  readonly #watched = new Map<string, Watched>();

  /** Watches a queue, or changes how many come at a time. Answers why it is refused, if it is. */
  watch(consumer: Consumer, queue: string, count: number): ProtocolError | undefined {
    const known = this.#watched.get(queue);
    if (known !== undefined) {
      const more = count - known.count;
      known.count = count;
      consumer.addCredit(known.credit, more);
      return undefined;
    }
    const credit = new Credit(true);
    consumer.addCredit(credit, count);
    const refusal = consumer.watch(queue, credit);
    if (refusal === undefined) this.#watched.set(queue, { credit, count });
    return refusal;
  }

  unwatch(consumer: Consumer, queue: string): void {
    this.#watched.delete(queue);
    consumer.unwatch(queue);
  }
}
