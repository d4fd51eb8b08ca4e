import { php } from '@groupcast/protocol';
import type { Consumer } from '../../queue/consumer.ts';
import { Credit, type ItemDelivery, type ItemReceiver } from '../../queue/work-queue.ts';
import type { Requests } from '../dialect.ts';
import type { PhpDeps } from './deps.ts';
import { phpOf } from './payload.ts';

/**
 * Queues as PHP's `Channel\Client` uses them. `reserve` asks for one item of any watched queue, and
 * says that the previous item is done: the client sends it when its callback has returned. So an
 * item whose consumer died is delivered again.
 */
export class PhpQueues implements ItemReceiver {
  readonly #peer: Requests;
  readonly #deps: PhpDeps;
  /** One for all queues of the peer; only `reserve` adds to it. */
  readonly #credit = new Credit(false);
  /**
   * Items delivered and not yet done, in order. One whose lease has ended stays, as its `reserve`
   * is still to come.
   */
  #unacknowledged: Pick<ItemDelivery, 'queue' | 'id' | 'attempt'>[] = [];

  constructor(peer: Requests, deps: PhpDeps) {
    this.#peer = peer;
    this.#deps = deps;
  }

  watch(queues: readonly string[]): void {
    const consumer = this.#consumer;
    for (const queue of queues) {
      const error = consumer.watch(queue, this.#credit);
      if (error !== undefined) this.#peer.drop(error);
    }
  }

  unwatch(queues: readonly string[]): void {
    const consumer = this.#consumer;
    for (const queue of queues) {
      consumer.unwatch(queue);
      // The client has no callback any more, and an item without one ends its process.
      const recalled = this.#peer.output.recall(queueKey(queue));
      if (recalled > 0) this.#withdraw(queue, recalled);
    }
  }

  enqueue(queues: readonly string[], data: Uint8Array): void {
    for (const queue of queues) {
      const error = this.#peer.queues.enqueue(queue, 'php', data, '');
      if (error === undefined) continue;
      // The producer gets no answer. An invalid name is a mistake in a program, so it is logged
      // too.
      if (error.code === 'bad_queue') this.#peer.drop(error);
      else this.#peer.countRejection(error);
    }
  }

  /** `isFirst`: the peer has just begun to watch a queue, and does not mean an item on its way. */
  reserve(isFirst: boolean): void {
    const consumer = this.#consumer;
    const done = isFirst ? undefined : this.#unacknowledged.shift();
    if (done !== undefined) consumer.done(done.queue, done.id, done.attempt);
    consumer.addCredit(this.#credit, 1);
  }

  deliver(item: ItemDelivery): void {
    const { kind, payload, queue } = item;
    const frame = php.queueFrame(queue, kind === 'php' ? payload : phpOf({ kind, payload }));
    if (!this.#peer.queues.sendItem(item, frame, queueKey(queue))) {
      this.#deps.counts.tooLong += 1;
      this.#consumer.addCredit(this.#credit, 1);
    } else if (!this.#deps.ackOnDelivery) {
      // Without the payload, which is kept no longer than the item.
      this.#unacknowledged.push({ queue, id: item.id, attempt: item.attempt });
    }
  }

  get #consumer(): Consumer {
    return this.#peer.queues.consumer(this, { autoAck: this.#deps.ackOnDelivery });
  }

  /** Returns the last `count` items to the queue, as they never left; the credit for them stays. */
  #withdraw(queue: string, count: number): void {
    const ofQueue = this.#unacknowledged.filter((item) => item.queue === queue);
    const recalled = new Set(ofQueue.slice(-count));
    this.#unacknowledged = this.#unacknowledged.filter((item) => !recalled.has(item));
    for (const item of recalled) this.#consumer.withdraw(queue, item.id, item.attempt);
    this.#consumer.addCredit(this.#credit, count);
  }
}

/** Returns the key that frames of a queue are recalled by. */
function queueKey(queue: string): string {
  return `queue ${queue}`;
}
