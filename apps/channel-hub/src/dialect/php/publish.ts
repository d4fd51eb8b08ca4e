import { channelOfGroup, isSystemGroup, type php } from '@groupcast/protocol';
import { type GroupMessage, readGroupMessage } from './bridge.ts';
import { type PhpPayload, payloadOf } from './payload.ts';

/** One publication requested by a PHP peer. */
export interface PhpPublish extends PhpPayload {
  /** Name that the peer uses. */
  readonly event: string;
  readonly channel: string;
  /** Whether it is a message to a group of the system, and so stays an event. */
  readonly isToSystem: boolean;
}

/**
 * A publish request of a PHP peer, as publications. A bridged event with a message to a group is
 * that message; any other event is its data, also if its group belongs to the system. Each form of
 * the data is made once for all events.
 */
export class PhpPublishing {
  /** Serialized, as received. */
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

  /** Returns the publication for an event. Throws ProtocolError for an invalid PHP value. */
  of(event: string): PhpPublish {
    const group = this.#groupMessageOf(event);
    const isToSystem = group !== undefined && isSystemGroup(group.group);
    if (group === undefined || isToSystem) return { event, channel: event, isToSystem, ...this.#asPlain() };
    this.#message ??= payloadOf(this.#bytes, group.message);
    return { event, channel: channelOfGroup(group.group), isToSystem, ...this.#message };
  }

  /** Returns the bytes of the longest form of the data for these events, or for any event. */
  bytesMax(events: readonly string[] | 'any'): number {
    // A message is a part of the data, and so never longer.
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
