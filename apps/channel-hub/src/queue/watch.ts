import type { Consumer } from './consumer.ts';
import type { Credit } from './credit.ts';
import type { WorkItem } from './queue-item.ts';
import type { WorkQueue } from './work-queue.ts';

/** That a consumer wants the items of a queue. */
export class Watch {
  readonly queue: WorkQueue;
  readonly consumer: Consumer;
  readonly credit: Credit;

  constructor(queue: WorkQueue, consumer: Consumer, credit: Credit) {
    this.queue = queue;
    this.consumer = consumer;
    this.credit = credit;
  }

  /** Whether it may be given this item now. When not, it is told to the queue as soon as it may be. */
  hasRoomFor(item: WorkItem): boolean {
    return this.credit.count > 0 && this.consumer.hasRoomFor(item);
  }
}
