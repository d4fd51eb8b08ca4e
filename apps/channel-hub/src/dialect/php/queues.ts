import { php } from '@groupcast/protocol';
import type { Consumer } from '../../queue/consumer.ts';
import { Credit, type ItemDelivery, type ItemReceiver } from '../../queue/work-queue.ts';
import type { PhpRequests, PhpShared } from './dialect.ts';
import { phpOf } from './payload.ts';

/**
 * Queues as `Channel\Client` of PHP uses them: `reserve` asks for one item of any queue that is watched. It says as well that the item before is done, so that
 * one whose consumer died comes back: the client reserves again when its callback has returned.
 */
export class PhpQueues implements ItemReceiver {
  readonly #session: PhpRequests;
  readonly #shared: PhpShared;
  /** One for all queues of the peer; only `reserve` adds to it. */
  readonly #credit = new Credit(false);
  /** What was handed out and not acknowledged, in order. An item whose lease is over stays: its `reserve` is still to come. */
  #unacknowledged: Pick<ItemDelivery, 'queue' | 'id' | 'attempt'>[] = [];

  constructor(session: PhpRequests, shared: PhpShared) {
    this.#session = session;
    this.#shared = shared;
  }

  watch(queues: readonly string[]): void {
    const consumer = this.#consumer;
    for (const queue of queues) {
      const refusal = consumer.watch(queue, this.#credit);
      if (refusal !== undefined) this.#session.drop(refusal);
    }
  }

  unwatch(queues: readonly string[]): void {
    const consumer = this.#consumer;
    for (const queue of queues) {
      consumer.unwatch(queue);
      // The client has no callback for it any more, and one item without a callback ends its process.
      const recalled = this.#session.recall(queueKey(queue));
      if (recalled > 0) this.#giveBack(queue, recalled);
    }
  }

  enqueue(queues: readonly string[], data: Uint8Array): void {
    for (const queue of queues) {
      const refusal = this.#session.queues.enqueue(queue, 'php', data);
      if (refusal === undefined) continue;
      // The producer cannot be told. A full queue is only counted, a wrong name is a program's fault.
      if (refusal.code === 'bad_queue') this.#session.drop(refusal);
      else this.#session.countRefusal(refusal);
    }
  }

  /** `isFirst`: the peer has just begun to watch a queue, and means no item of another one that may be on its way. */
  reserve(isFirst: boolean): void {
    const consumer = this.#consumer;
    const done = isFirst ? undefined : this.#unacknowledged.shift();
    if (done !== undefined) consumer.done(done.queue, done.id, done.attempt);
    consumer.addCredit(this.#credit, 1);
  }

  deliver(item: ItemDelivery): void {
    const { kind, payload, queue } = item;
    const frame = php.queueFrame(queue, kind === 'php' ? payload : phpOf({ kind, payload }));
    if (!this.#session.queues.sendItem(item, frame, queueKey(queue))) {
      this.#shared.counts.tooLong += 1;
      this.#consumer.addCredit(this.#credit, 1);
    } else if (!this.#shared.ackOnDelivery) {
      // Without the payload, which others may have done with by then.
      this.#unacknowledged.push({ queue, id: item.id, attempt: item.attempt });
    }
  }

  get #consumer(): Consumer {
    return this.#session.queues.consumer(this, { autoAck: this.#shared.ackOnDelivery });
  }

  /** The last `count` items of the queue never left: others get them, and the client still waits for as many. */
  #giveBack(queue: string, count: number): void {
    const ofQueue = this.#unacknowledged.filter((item) => item.queue === queue);
    const recalled = new Set(ofQueue.slice(-count));
    this.#unacknowledged = this.#unacknowledged.filter((item) => !recalled.has(item));
    for (const item of recalled) this.#consumer.withdraw(queue, item.id, item.attempt);
    this.#consumer.addCredit(this.#credit, count);
  }
}

/** What is recalled together. */
function queueKey(queue: string): string {
  return `queue ${queue}`;
}
