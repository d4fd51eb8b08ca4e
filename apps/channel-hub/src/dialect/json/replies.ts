import { type Position, ProtocolError } from '@groupcast/protocol';
import type { HubJsonReply } from '@groupcast/protocol/schema';
import type { RequestId } from '../../routing/subscriber.ts';
import type { Requests } from '../dialect.ts';
import { namesOf, textFrame } from './events.ts';

/** Requests of one peer, publishes and history reads, that may wait for the engine. */
const PENDING_REQUESTS_MAX = 1_024;

/** The position of a channel. */
export interface ChannelPosition extends Position {
  readonly channel: string;
}

/** A reply; `subscribed` and `pong` without an id are written without the field. */
type Reply = WithId<'subscribed'> | WithId<'pong'> | Exclude<HubJsonReply, { type: 'subscribed' | 'pong' }>;
type WithId<Type> = Omit<Extract<HubJsonReply, { type: Type }>, 'id'> & { readonly id: RequestId };

/** The replies to one JSON peer, and the number of requests that wait for theirs. */
export class JsonReplies {
  readonly #peer: Requests;
  #pending = 0;

  constructor(peer: Requests) {
    this.#peer = peer;
  }

  send(reply: Reply): void {
    this.sendText(JSON.stringify(reply));
  }

  sendText(text: string): void {
    this.#peer.output.send(textFrame(text));
  }

  reject(id: RequestId, error: ProtocolError): void {
    this.#peer.reject(id, error);
  }

  /** Returns the error for one more request that waits, if the limit is reached. */
  get pendingError(): ProtocolError | undefined {
    if (this.#pending < PENDING_REQUESTS_MAX) return undefined;
    const sentence = `${PENDING_REQUESTS_MAX} requests are pending. Wait for some of the replies.`;
    return new ProtocolError('rate_limited', sentence);
  }

  /** Begins a request that waits for one of the replies below. */
  begin(): void {
    this.#pending += 1;
  }

  published(id: string | number, positions: readonly ChannelPosition[]): void {
    this.#pending -= 1;
    const named = positions.map(({ channel, epoch, offset }) => ({ ...namesOf(channel), epoch, offset }));
    this.send({ type: 'published', id, positions: named });
  }

  /** Sends the reply to `history`; `text` is its body. */
  historyRead(text: string): void {
    this.#pending -= 1;
    this.#peer.output.sendPage(textFrame(text), []);
  }

  /** Rejects a request that was begun. */
  rejected(id: string | number, error: ProtocolError): void {
    this.#pending -= 1;
    this.#peer.reject(id, error);
  }
}
