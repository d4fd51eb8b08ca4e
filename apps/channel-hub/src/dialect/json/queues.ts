import { encodeText } from '@groupcast/protocol';
import type { HubJsonRequest } from '@groupcast/protocol/schema';
import { Concurrency } from '../../queue/concurrency.ts';
import type { Consumer } from '../../queue/consumer.ts';
import type { ItemDelivery, ItemReceiver } from '../../queue/work-queue.ts';
import type { Requests } from '../dialect.ts';
import { itemPayloadOf } from '../php/payload.ts';
import { dataField, textFrame } from './events.ts';
import type { JsonReplies } from './replies.ts';

type EnqueueRequest = Extract<HubJsonRequest, { type: 'enqueue' }>;

/** A request about queues. */
export type JsonQueueRequest = Extract<
  HubJsonRequest,
  { type: 'enqueue' | 'watch' | 'unwatch' | 'done' | 'failed' }
>;

/** Queues in the JSON dialect: see PROTOCOL.md, "The JSON dialect". */
export class JsonQueues implements ItemReceiver {
  readonly #peer: Requests;
  readonly #replies: JsonReplies;
  readonly #concurrency = new Concurrency();

  constructor(peer: Requests, replies: JsonReplies) {
    this.#peer = peer;
    this.#replies = replies;
  }

  receive(request: JsonQueueRequest): void {
    switch (request.type) {
      case 'enqueue':
        this.#enqueue(request);
        return;
      case 'watch': {
        const error = this.#concurrency.watch(this.#consumer, request.queue, request.concurrency);
        if (error !== undefined) this.#peer.reject(request.id, error);
        return;
      }
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
    const { queue, id, attempt, kind, payload, messageId } = item;
    const { lossy, ...sent } = itemPayloadOf(kind, payload);
    this.#peer.countLossy(lossy);
    const fields = `"queue":${JSON.stringify(queue)},"item":${id},"attempt":${attempt}`;
    const idField = messageId === '' ? '' : `,"message_id":${JSON.stringify(messageId)}`;
    this.#peer.queues.sendItem(item, textFrame(`{"type":"item",${fields},${dataField(sent)}${idField}}`));
  }

  get #consumer(): Consumer {
    return this.#peer.queues.consumer(this);
  }

  #enqueue({ id, queue, data, message_id: messageId }: EnqueueRequest): void {
    const error = this.#peer.queues.enqueue(queue, data.kind, encodeText(data.text), messageId);
    if (error !== undefined) this.#peer.reject(id, error);
    else if (id !== undefined) this.#replies.send({ type: 'enqueued', id });
  }
}
