import { encodeText, type native, type Position } from '@groupcast/protocol';
import type { HistoryAnswer, HubPort, HubSubscriber, PublishAnswer, SubmitOptions } from '../hub-port.ts';

const EPOCH = 'warm-up';

/** A hub within the process, for a gateway that warms up: it answers a turn later, and keeps nothing. */
export class EchoHub implements HubPort {
  readonly #subscribers = new Map<string, Set<HubSubscriber>>();
  #offset = 0;

  subscribe(channel: string, subscriber: HubSubscriber): void {
    const subscribers = this.#subscribers.get(channel) ?? new Set();
    this.#subscribers.set(channel, subscribers.add(subscriber));
    const { position } = this;
    setImmediate(() => subscriber.subscribed({ name: channel, prefix: false }, position));
  }

  unsubscribe(channel: string, subscriber: HubSubscriber): void {
    this.#subscribers.get(channel)?.delete(subscriber);
  }

  history(_channel: string, _since: Position, answer: HistoryAnswer): void {
    const { position } = this;
    setImmediate(() => answer.page({ verdict: 'trimmed', position, publications: [] }));
  }

  submit(channel: string, text: string, options: SubmitOptions, answer: PublishAnswer | undefined): void {
    this.#offset += 1;
    const { position } = this;
    const publication: native.Publication = {
      channel,
      kind: 'text',
      excludeSender: options.excludeSender ?? false,
      sender: options.sender,
      messageId: options.messageId ?? '',
      payload: encodeText(text),
      number: position.offset,
    };
    setImmediate(() => {
      for (const subscriber of this.#subscribers.get(channel) ?? []) subscriber.deliver(publication);
      answer?.published(position);
    });
  }

  get position(): Position {
    return { epoch: EPOCH, offset: this.#offset };
  }
}
