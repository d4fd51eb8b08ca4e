import { channelOfGroup, type php } from '@groupcast/protocol';
import { type GroupMessage, readGroupMessage } from './bridge.ts';
import { type PhpPayload, payloadOf } from './payload.ts';

/** One publication that a PHP peer asks for. */
export interface PhpPublish extends PhpPayload {
  /** As the peer calls it. */
  readonly event: string;
  readonly channel: string;
}

/**
 * What a request to publish means to others: a bridged event whose data are a message to a group is that message, any other event is the data. Each form of the
 * data is made once, whatever the number of events.
 */
export class PhpPublishing {
  /** Serialized, as they came. */
  readonly data: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #span: php.PhpSpan;
  readonly #bridgedEvents: ReadonlySet<string>;
  #groupMessage: GroupMessage | undefined | 'unread' = 'unread';
  #message: PhpPayload | undefined;
  #plain: PhpPayload | undefined;

  constructor(bytes: Uint8Array, span: php.PhpSpan, bridgedEvents: ReadonlySet<string>) {
    this.data = bytes.subarray(span.start, span.end);
    this.#bytes = bytes;
    this.#span = span;
    this.#bridgedEvents = bridgedEvents;
  }

  /** Throws ProtocolError for data that are no PHP value. */
  of(event: string): PhpPublish {
    const group = this.#groupMessageOf(event);
    if (group === undefined) return { event, channel: event, ...this.#asPlain() };
    this.#message ??= payloadOf(this.#bytes, group.message);
    return { event, channel: channelOfGroup(group.group), ...this.#message };
  }

  /** Bytes of the longest form of the data under these events, or under any event. */
  bytesMax(events: readonly string[] | 'any'): number {
    // No message is longer than the data that it is a part of.
    if (events === 'any') return Math.max(this.data.length, this.#asPlain().payload.length);
    return events.reduce((most, event) => Math.max(most, this.of(event).payload.length), this.data.length);
  }

  #groupMessageOf(event: string): GroupMessage | undefined {
    if (!this.#bridgedEvents.has(event)) return undefined;
    if (this.#groupMessage === 'unread') this.#groupMessage = readGroupMessage(this.#bytes, this.#span);
    return this.#groupMessage;
  }

  #asPlain(): PhpPayload {
    this.#plain ??= payloadOf(this.#bytes, this.#span);
    return this.#plain;
  }
}
