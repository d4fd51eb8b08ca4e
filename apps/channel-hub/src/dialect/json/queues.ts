import { encodeFrame, encodeText } from '@groupcast/protocol';
import type { HubJsonRequest, JsonPayload } from '@groupcast/protocol/schema';
import { Concurrency } from '../../queue/concurrency.ts';
import type { Consumer } from '../../queue/consumer.ts';
import type { ItemDelivery, ItemReceiver } from '../../queue/work-queue.ts';
import type { RequestId } from '../../routing/subscriber.ts';
import type { Requests } from '../dialect.ts';
import { itemPayloadOf } from '../php/payload.ts';
import { dataField } from './events.ts';

/** What a JSON peer sends about queues. */
export type JsonQueueRequest = Extract<
  HubJsonRequest,
  { type: 'enqueue' | 'watch' | 'unwatch' | 'done' | 'failed' }
>;

/** Queues in the JSON dialect: see PROTOCOL.md, "The JSON dialect". */
export class JsonQueues implements ItemReceiver {
  readonly #session: Requests;
  readonly #concurrency = new Concurrency();

  constructor(session: Requests) {
    this.#session = session;
  }

  receive(request: JsonQueueRequest): void {
    switch (request.type) {
      case 'enqueue':
        this.#enqueue(request.id, request.queue, request.data);
        return;
      case 'watch': {
        const refusal = this.#concurrency.watch(this.#consumer, request.queue, request.concurrency);
        if (refusal !== undefined) this.#session.refuse(request.id, refusal);
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

  deliver(handed: ItemDelivery): void {
    const { queue, id, attempt, kind, payload } = handed;
    const { lossy, ...sent } = itemPayloadOf(kind, payload);
    this.#session.countLossy(lossy);
    const fields = `"queue":${JSON.stringify(queue)},"item":${id},"attempt":${attempt}`;
    this.#session.queues.sendItem(handed, textFrame(`{"type":"item",${fields},${dataField(sent)}}`));
  }

  get #consumer(): Consumer {
    return this.#session.queues.consumer(this);
  }

  #enqueue(id: RequestId, queue: string, data: JsonPayload): void {
    const refusal = this.#session.queues.enqueue(queue, data.kind, encodeText(data.text));
    if (refusal !== undefined) this.#session.refuse(id, refusal);
    else if (id !== undefined) this.#session.send(textFrame(JSON.stringify({ type: 'enqueued', id })));
  }
}

function textFrame(text: string): Uint8Array {
  return encodeFrame(encodeText(text));
}
