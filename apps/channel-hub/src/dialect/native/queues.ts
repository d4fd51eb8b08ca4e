import { native } from '@groupcast/protocol';
import { Concurrency } from '../../queue/concurrency.ts';
import type { Consumer } from '../../queue/consumer.ts';
import type { ItemDelivery, ItemReceiver } from '../../queue/work-queue.ts';
import type { Requests } from '../dialect.ts';
import { itemPayloadOf } from '../php/payload.ts';

/** What a native peer sends about queues. */
export type NativeQueueRequest = native.Enqueue | native.Watch | native.Unwatch | native.ItemResult;

/** Queues in the native dialect: see PROTOCOL.md, "Queues". */
export class NativeQueues implements ItemReceiver {
  readonly #session: Requests;
  readonly #concurrency = new Concurrency();

  constructor(session: Requests) {
    this.#session = session;
  }

  receive(request: NativeQueueRequest): void {
    switch (request.type) {
      case 'enqueue':
        this.#enqueue(request);
        return;
      case 'watch':
        this.#watch(request);
        return;
      case 'unwatch':
        this.#concurrency.unwatch(this.#consumer, request.queue);
        return;
      case 'done':
        this.#consumer.done(request.queue, request.item, request.attempt);
        return;
      case 'failed':
        this.#consumer.failed(request.queue, request.item, request.attempt);
    }
  }

  deliver(handed: ItemDelivery): void {
    const { id: item, attempt, queue, kind, payload } = handed;
    const { lossy, ...sent } = itemPayloadOf(kind, payload);
    this.#session.countLossy(lossy);
    this.#session.queues.sendItem(handed, native.encodeItem({ item, attempt, queue, ...sent }));
  }

  get #consumer(): Consumer {
    return this.#session.queues.consumer(this);
  }

  #enqueue({ request, queue, kind, payload }: native.Enqueue): void {
    const refusal = this.#session.queues.enqueue(queue, kind, payload);
    if (refusal === undefined) this.#session.send(native.encodeEnqueued({ request }));
    else this.#session.refuse(request, refusal);
  }

  #watch({ request, queue, concurrency }: native.Watch): void {
    const refusal = this.#concurrency.watch(this.#consumer, queue, concurrency);
    if (refusal !== undefined) this.#session.refuse(request, refusal);
  }
}
