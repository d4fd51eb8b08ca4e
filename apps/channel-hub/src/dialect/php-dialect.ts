import { groupOfChannel, limits, native, ProtocolError, php } from '@groupcast/protocol';
import type { PublishSlot } from '../engine/engine.ts';
import type { RequestId } from '../subscriber.ts';
import type { Dialect, Requests } from './dialect.ts';
import type { PhpCounts } from './php-counts.ts';
import { type PhpEvents, PhpPublication } from './php-events.ts';
import { type PhpPublish, readPublish } from './php-publish.ts';
import { PhpQueues } from './php-queues.ts';
import type { Turns } from './turns.ts';

/** What a PHP peer needs of its session beside what others need, because it can be told nothing. */
export interface PhpRequests extends Requests {
  /** Makes sure that the peer may make requests. Throws ProtocolError. */
  begin(): void;
  /** What the kernel does not take at once can be recalled from now on. */
  holdBack(): void;
  /** `key`: what the frame can be recalled by. */
  send(frame: Uint8Array, key?: string): void;
  /** The same for what is neither a publication nor an answer: it counts as handed out. */
  sendToOne(frame: Uint8Array, key?: string): void;
  /** Takes back what was sent under a key and has not left. Answers how many frames that were. */
  recall(key: string): number;
  /** Something came from the peer that is no publication. */
  countReceived(): void;
  /** Ends the session without a word. */
  end(error: ProtocolError): void;
}

/** What the PHP sessions of a hub share. */
export interface PhpShared {
  readonly events: PhpEvents;
  /** Who gets the next `publishLoop` of a channel. */
  readonly turns: Turns<PhpDialect>;
  /** Events whose data are messages to groups. */
  readonly bridgedEvents: ReadonlySet<string>;
  readonly counts: PhpCounts;
  /** The longest frame that is sent, in bytes. */
  readonly frameBytesMax: number;
  /** Whether an item of a queue is done when it is handed out: at most once, as in the original. */
  readonly ackOnDelivery: boolean;
}

/** More than a frame of any dialect has beside its name and its data. */
const FRAME_BYTES_BESIDE = 128;

/** All groups' channels. */
const GROUPS: native.Subject = { name: limits.GROUP_CHANNEL_PREFIX, prefix: true };

/**
 * What `Channel\Client` of PHP speaks: see PROTOCOL.md, "PHP dialect". Nothing is ever sent that the peer did not ask for, because each such
 * frame ends its process: no answers, no errors, no heartbeats.
 */
export class PhpDialect implements Dialect, PublishSlot {
  readonly name = 'php';
  readonly helloFirst = false;
  readonly heartbeats = false;
  readonly strict = true;
  readonly takesRuns = false;
  readonly publisher: number;
  readonly #session: PhpRequests;
  readonly #shared: PhpShared;
  readonly #queues: PhpQueues;
  /** Of the request before. */
  #lastType: php.PhpRequest['type'] | undefined;
  /** What its frames are recalled by, of each event that it has subscribed to. */
  readonly #subscribed = new Map<string, string>();
  /** Those of them that are bridged. */
  readonly #bridged = new Set<string>();

  constructor(session: PhpRequests, shared: PhpShared) {
    this.publisher = session.peer;
    this.#session = session;
    this.#shared = shared;
    this.#queues = new PhpQueues(session, shared);
    session.holdBack();
  }

  receivedAll(): void {}

  receive(bytes: Uint8Array, start: number, end: number): void {
    this.#session.begin();
    const request = php.readRequest(bytes, start + limits.FRAME_HEADER_BYTES, end);
    const lastType = this.#lastType;
    this.#lastType = request.type;
    switch (request.type) {
      case 'subscribe':
        this.#subscribe(request.channels);
        return;
      case 'unsubscribe':
        for (const event of request.channels) this.#unsubscribe(event);
        return;
      case 'publish':
        this.#publish(request.channels, bytes, request.data);
        return;
      case 'publishLoop':
        this.#publishInTurn(request.channels, bytes, request.data);
        return;
      case 'watch':
        this.#queues.watch(request.channels);
        return;
      case 'unwatch':
        this.#queues.unwatch(request.channels);
        return;
      case 'enqueue':
        this.#enqueue(request.channels, bytes, request.data);
        return;
      case 'reserve':
        this.#queues.reserve(lastType === 'watch');
    }
  }

  deliver(frame: Uint8Array): void {
    const publication = this.#shared.events.of(frame);
    const { channel } = publication;
    if (this.#subscribed.has(channel)) this.#sendEvent(channel, publication.frame(channel));
    if (this.#bridged.size === 0 || groupOfChannel(channel) === undefined) return;
    for (const event of this.#bridged) this.#sendEvent(event, publication.frame(event));
  }

  /** An event to this peer alone, which has subscribed to it. */
  deliverTurn(event: string, frame: Uint8Array): void {
    this.#session.sendToOne(frame, this.#subscribed.get(event));
  }

  ended(): void {
    for (const event of this.#subscribed.keys()) this.#shared.turns.leave(event, this);
  }

  /** It cannot be told, so that all that is left is to end the session: the peer comes back, and its operator finds the reason in the log. */
  error(_request: RequestId, error: ProtocolError): void {
    this.#session.end(error);
  }

  challenge(): void {}
  welcome(): void {}
  subscribed(): void {}
  published(): void {}

  refused(_request: number, error: ProtocolError): void {
    this.#session.countRefusal(error);
  }

  goaway(): boolean {
    return false;
  }

  #sendEvent(event: string, frame: Uint8Array): void {
    if (frame.length <= this.#shared.frameBytesMax) this.#session.send(frame, this.#subscribed.get(event));
    else this.#shared.counts.tooLong += 1;
  }

  #subscribe(events: readonly string[]): void {
    // A client subscribes twice when it connects.
    const added = [...new Set(events)].filter((event) => !this.#subscribed.has(event));
    const subjects = added.map((name) => ({ name, prefix: false }));
    const bridged = added.filter((event) => this.#shared.bridgedEvents.has(event));
    for (const event of added) {
      this.#subscribed.set(event, eventKey(event));
      this.#shared.turns.join(event, this);
    }
    const isFirst = this.#bridged.size === 0 && bridged.length > 0;
    for (const event of bridged) this.#bridged.add(event);
    if (added.length > 0) this.#session.subscribe(undefined, isFirst ? [...subjects, GROUPS] : subjects);
  }

  #unsubscribe(event: string): void {
    if (!this.#subscribed.delete(event)) return;
    this.#shared.turns.leave(event, this);
    const isLast = this.#bridged.delete(event) && this.#bridged.size === 0;
    const subject = { name: event, prefix: false };
    this.#session.unsubscribe(isLast ? [subject, GROUPS] : [subject]);
    // The client has no callback for it any more, and one event without a callback ends its process.
    this.#session.recall(eventKey(event));
  }

  #publish(events: readonly string[], bytes: Uint8Array, span: php.PhpSpan): void {
    const { bridgedEvents, counts } = this.#shared;
    const data = bytes.subarray(span.start, span.end);
    const publishes = readPublish(events, bytes, span, bridgedEvents);
    const bytesEach = publishes.reduce((most, { payload }) => Math.max(most, payload.length), data.length);
    if (!this.#hasRoomFor(events, bytesEach)) return;
    for (const publish of publishes) {
      counts.lossy += publish.lossy;
      this.#publishOne(publish, data);
    }
  }

  #publishOne({ event, channel, kind, payload }: PhpPublish, data: Uint8Array): void {
    const { events, turns } = this.#shared;
    const names = { sender: '', messageId: '' };
    const publication = { channel, kind, payload, excludeSender: false, ...names, number: 0 };
    const frame = native.encodePublish(publication);
    events.publishing(frame, new PhpPublication(channel, frame, { event, data }));
    this.#session.publish(publication, frame, this, 0);
    events.published(turns.has(event));
  }

  /** To one PHP peer of each channel: neither others nor history know of it. */
  #publishInTurn(events: readonly string[], bytes: Uint8Array, span: php.PhpSpan): void {
    const data = bytes.subarray(span.start, span.end);
    if (!this.#hasRoomFor(events, data.length)) return;
    this.#session.countReceived();
    for (const event of events) {
      const peer = this.#shared.turns.next(event);
      if (peer === undefined) this.#shared.counts.unheard += 1;
      else peer.deliverTurn(event, php.eventFrame(event, data));
    }
  }

  #enqueue(queues: readonly string[], bytes: Uint8Array, { start, end }: php.PhpSpan): void {
    if (this.#hasRoomFor(queues, end - start)) this.#queues.enqueue(queues, bytes.subarray(start, end));
  }

  /** A short request must not become much: 1,024 copies of what it brings. */
  #hasRoomFor(names: readonly string[], bytesEach: number): boolean {
    const { frameBytesMax } = this.#shared;
    const bytes = names.reduce((sum, name) => sum + FRAME_BYTES_BESIDE + 3 * name.length + bytesEach, 0);
    if (bytes <= frameBytesMax) return true;
    const sentence = `For all that the request names its data take ${bytes} bytes; ${frameBytesMax} are taken.`;
    this.#session.countRefusal(new ProtocolError('bad_length', sentence));
    return false;
  }
}

/** What is recalled together. Queues have other keys, though names may be the same. */
function eventKey(event: string): string {
  return `event ${event}`;
}
