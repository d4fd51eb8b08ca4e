import { groupOfChannel, limits, native, ProtocolError, php } from '@groupcast/protocol';
import type { PublishSlot } from '../../engine/engine.ts';
import type { Turns } from '../../queue/round-robin.ts';
import type { RequestId } from '../../routing/subscriber.ts';
import type { Dialect, Requests } from '../dialect.ts';
import type { PhpCounts } from './counts.ts';
import { type PhpEvents, PhpPublication } from './events.ts';
import { badEvent, badQueue } from './name-errors.ts';
import { type PhpPublish, PhpPublishing } from './publish.ts';
import { PhpQueues } from './queues.ts';
import { PhpSubscriptions } from './subscriptions.ts';

/** What a PHP peer needs of its session beside what others need, because it can be told nothing. */
export interface PhpRequests extends Requests {
  /** What the kernel does not take at once can be recalled from now on. */
  holdBack(): void;
  /** `key`: what the frame can be recalled by. */
  send(frame: Uint8Array, key?: string): void;
  /** The same for what is neither a publication nor an answer: it counts as handed out. */
  sendToOne(frame: Uint8Array, key?: string): void;
  /** Takes back what was sent under a key and has not left. Answers how many frames that were. */
  recall(key: string): number;
  /**
   * Goes on with a request in later turns of the event loop, before anything else is read.
   * `doPiece` answers whether there is more.
   */
  inPieces(doPiece: () => boolean): void;
  /** Counts a part of a request that is not done, and logs it: only the operator can be told. */
  drop(error: ProtocolError): void;
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
  /** Subjects that one session may follow. */
  readonly channelsPerPeerMax: number;
  /** The longest frame that is sent, in bytes. */
  readonly frameBytesMax: number;
  /** Whether an item of a queue is done when it is handed out: at most once, as in the original. */
  readonly ackOnDelivery: boolean;
}

/** More than a frame of any dialect has beside its name and its data. */
const FRAME_BYTES_BESIDE = 128;

/** Names of one request that are seen to in one go. */
const NAMES_PER_PIECE = 64;

/** The same to leave them: the client's callback is gone, and an event without one ends its process. */
const NAMES_PER_PIECE_LEAVING = 1_024;

/** A request that names events or queues. */
type NamingRequest = Extract<php.PhpRequest, { readonly names: php.PhpNames }>;

/** Does what a request asks for with some of its names. */
type Act = (names: readonly string[]) => void;

const QUEUE_TYPES: ReadonlySet<php.PhpRequest['type']> = new Set(['watch', 'unwatch', 'enqueue']);
const LEAVING_TYPES: ReadonlySet<php.PhpRequest['type']> = new Set(['unsubscribe', 'unwatch']);

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
  readonly #subscriptions: PhpSubscriptions;
  /** Of the request before. */
  #lastType: php.PhpRequest['type'] | undefined;

  constructor(session: PhpRequests, shared: PhpShared) {
    this.publisher = session.peer;
    this.#session = session;
    this.#shared = shared;
    this.#queues = new PhpQueues(session, shared);
    this.#subscriptions = new PhpSubscriptions(session, shared, this);
    session.holdBack();
  }

  receivedAll(): void {}

  receive(bytes: Uint8Array, start: number, end: number): void {
    this.#session.begin();
    const request = php.readRequest(bytes, start + limits.FRAME_HEADER_BYTES, end);
    const isBehindWatch = this.#lastType === 'watch';
    this.#lastType = request.type;
    if (request.type === 'reserve') this.#queues.reserve(isBehindWatch);
    else this.#carryOut(request, bytes);
  }

  deliver(frame: Uint8Array): void {
    const publication = this.#shared.events.of(frame);
    const { channel } = publication;
    const key = this.#subscriptions.keyOf(channel);
    if (key !== undefined) this.#sendEvent(publication.frame(channel), key);
    const { bridged } = this.#subscriptions;
    if (bridged.size === 0 || groupOfChannel(channel) === undefined) return;
    for (const event of bridged) this.#sendEvent(publication.frame(event), this.#subscriptions.keyOf(event));
  }

  /** An event to this peer alone, which has subscribed to it. */
  deliverTurn(event: string, frame: Uint8Array): void {
    this.#session.sendToOne(frame, this.#subscriptions.keyOf(event));
  }

  ended(): void {
    this.#subscriptions.ended();
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

  #sendEvent(frame: Uint8Array, key: string | undefined): void {
    if (frame.length <= this.#shared.frameBytesMax) this.#session.send(frame, key);
    else this.#shared.counts.tooLong += 1;
  }

  /** A few names at a time: there may be very many. */
  #carryOut(request: NamingRequest, bytes: Uint8Array): void {
    const { names, type } = request;
    const errorOf = QUEUE_TYPES.has(type) ? badQueue : badEvent;
    const countEach = LEAVING_TYPES.has(type) ? NAMES_PER_PIECE_LEAVING : NAMES_PER_PIECE;
    const take = () => names.take(countEach, (flaw) => this.#session.drop(errorOf(flaw)));
    const first = take();
    const act = this.#actOf(request, bytes, first);
    if (act === undefined) return;
    act(first);
    if (names.left === 0) return;
    this.#session.inPieces(() => {
      act(take());
      return names.left > 0;
    });
  }

  /** What is to be done with the names; undefined where the request is refused as a whole. */
  #actOf(request: NamingRequest, bytes: Uint8Array, first: readonly string[]): Act | undefined {
    switch (request.type) {
      case 'subscribe':
        return (events) => this.#subscriptions.subscribe(events);
      case 'unsubscribe':
        return (events) => this.#subscriptions.unsubscribe(events);
      case 'watch':
        return (queues) => this.#queues.watch(queues);
      case 'unwatch':
        return (queues) => this.#queues.unwatch(queues);
      case 'publish': {
        const publishing = new PhpPublishing(bytes, request.data, this.#shared.bridgedEvents);
        const bytesEach = publishing.bytesMax(request.names.left === 0 ? first : 'any');
        return this.#hasRoomFor(request.names, bytesEach)
          ? (events) => this.#publish(events, publishing)
          : undefined;
      }
      default:
        return this.#actOfTurn(request, bytes.subarray(request.data.start, request.data.end));
    }
  }

  #actOfTurn({ type, names }: NamingRequest, data: Uint8Array): Act | undefined {
    if (!this.#hasRoomFor(names, data.length)) return undefined;
    if (type === 'enqueue') return (queues) => this.#queues.enqueue(queues, data);
    this.#session.countReceived();
    return (events) => this.#publishInTurn(events, data);
  }

  #publish(events: readonly string[], publishing: PhpPublishing): void {
    for (const event of events) {
      const publish = publishing.of(event);
      this.#shared.counts.lossy += publish.lossy;
      this.#publishOne(publish, publishing.data);
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
  #publishInTurn(events: readonly string[], data: Uint8Array): void {
    for (const event of events) {
      const peer = this.#shared.turns.next(event);
      if (peer === undefined) this.#shared.counts.unheard += 1;
      else peer.deliverTurn(event, php.eventFrame(event, data));
    }
  }

  /** A short request must not become much: a copy of what it brings for each name. */
  #hasRoomFor({ count, bytesLength }: php.PhpNames, bytesEach: number): boolean {
    const { frameBytesMax } = this.#shared;
    const bytes = count * (FRAME_BYTES_BESIDE + bytesEach) + bytesLength;
    if (bytes <= frameBytesMax) return true;
    const sentence = `The request expands to ${bytes} bytes over all its channels; the limit is ${frameBytesMax}.`;
    this.#session.countRefusal(new ProtocolError('bad_length', sentence));
    return false;
  }
}
