import { native } from '@groupcast/protocol';
import { Concurrency } from '../../queue/concurrency.ts';
import type { Consumer } from '../../queue/consumer.ts';
import type { ItemDelivery, ItemReceiver } from '../../queue/work-queue.ts';
import type { Requests } from '../dialect.ts';
import { itemPayloadOf } from '../php/payload.ts';

/** A request about queues. */
export type NativeQueueRequest = native.Enqueue | native.Watch | native.Unwatch | native.ItemResult;

/** Queues in the native dialect: see PROTOCOL.md, "Queues". */
export class NativeQueues implements ItemReceiver {
  readonly #peer: Requests;
  readonly #formFor: (frame: Uint8Array) => Uint8Array | undefined;
  readonly #concurrency = new Concurrency();

  /** `formFor` returns the form of a frame that the peer understands. */
  constructor(peer: Requests, formFor: (frame: Uint8Array) => Uint8Array | undefined) {
    this.#peer = peer;
    this.#formFor = formFor;
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

  deliver(item: ItemDelivery): void {
    const { id, attempt, queue, messageId, kind, payload } = item;
    const { lossy, ...sent } = itemPayloadOf(kind, payload);
    this.#peer.countLossy(lossy);
    const frame = native.encodeItem({ item: id, attempt, queue, messageId, ...sent });
    this.#peer.queues.sendItem(item, this.#formFor(frame) ?? frame);
  }

  get #consumer(): Consumer {
    return this.#peer.queues.consumer(this);
  }

  #enqueue({ request, queue, kind, messageId, payload }: native.Enqueue): void {
    const error = this.#peer.queues.enqueue(queue, kind, payload, messageId);
    if (error === undefined) this.#peer.output.send(native.encodeEnqueued({ request }));
    else this.#peer.reject(request, error);
  }

  #watch({ request, queue, concurrency }: native.Watch): void {
    const error = this.#concurrency.watch(this.#consumer, queue, concurrency);
    if (error !== undefined) this.#peer.reject(request, error);
  }
}
