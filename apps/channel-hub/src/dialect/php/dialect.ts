import { groupOfChannel, isSystemChannel, limits, native, ProtocolError, php } from '@groupcast/protocol';
import type { PublishSlot } from '../../engine/engine.ts';
import type { RequestId } from '../../routing/subscriber.ts';
import type { PeerDialect, Requests } from '../dialect.ts';
import type { EventReceiver, PhpDeps } from './deps.ts';
import { PhpPublication } from './events.ts';
import { badEvent, badQueue, systemEvent } from './name-errors.ts';
import { type PhpPublish, PhpPublishing } from './publish.ts';
import { PhpQueues } from './queues.ts';
import { PhpSubscriptions } from './subscriptions.ts';

/** Upper bound of a frame's bytes beside name and data, in any dialect. */
const FRAME_BYTES_BESIDE = 128;

/** Names of one request that are handled in one piece. */
const NAMES_PER_PIECE = 64;

/**
 * Names per piece of a request that leaves them. More, because the client has no callbacks for them
 * any more, and an event without a callback ends its process.
 */
const NAMES_PER_PIECE_LEAVING = 1_024;

/** A request that names events or queues. */
type NamingRequest = Extract<php.PhpRequest, { readonly names: php.PhpNames }>;

/** Does what a request asks for, with some of its names. */
type Act = (names: readonly string[]) => void;

const QUEUE_TYPES: ReadonlySet<php.PhpRequest['type']> = new Set(['watch', 'unwatch', 'enqueue']);
const LEAVING_TYPES: ReadonlySet<php.PhpRequest['type']> = new Set(['unsubscribe', 'unwatch']);

/**
 * The dialect of PHP's `Channel\Client`: see PROTOCOL.md, "PHP dialect". The hub sends no frame
 * that the peer did not ask for, as each would end its process: no answers, errors or heartbeats.
 */
export class PhpDialect implements PeerDialect, PublishSlot, EventReceiver {
  readonly name = 'php';
  readonly helloFirst = false;
  readonly heartbeats = false;
  readonly strict = true;
  readonly acceptsRuns = false;
  readonly acceptsEphemeral = true;
  readonly publisher: number;
  readonly #peer: Requests;
  readonly #deps: PhpDeps;
  readonly #queues: PhpQueues;
  readonly #subscriptions: PhpSubscriptions;
  /** Type of the previous request. */
  #lastType: php.PhpRequest['type'] | undefined;

  constructor(peer: Requests, deps: PhpDeps) {
    this.publisher = peer.id;
    this.#peer = peer;
    this.#deps = deps;
    this.#queues = new PhpQueues(peer, deps);
    this.#subscriptions = new PhpSubscriptions(peer, deps, this);
    peer.output.allowRecall();
  }

  receivedAll(): void {}

  receive(bytes: Uint8Array, start: number, end: number): void {
    this.#peer.ensureOpen();
    const request = php.readRequest(bytes, start + limits.FRAME_HEADER_BYTES, end);
    const followsWatch = this.#lastType === 'watch';
    this.#lastType = request.type;
    if (request.type === 'reserve') this.#queues.reserve(followsWatch);
    else this.#carryOut(request, bytes);
  }

  deliver(frame: Uint8Array): void {
    const publication = this.#deps.events.of(frame);
    const { channel } = publication;
    const key = this.#subscriptions.keyOf(channel);
    if (key !== undefined) this.#sendEvent(publication.frame(channel), key);
    const { bridged } = this.#subscriptions;
    if (bridged.size === 0 || groupOfChannel(channel) === undefined) return;
    for (const event of bridged) this.#sendEvent(publication.frame(event), this.#subscriptions.keyOf(event));
  }

  deliverToOne(event: string, frame: Uint8Array): void {
    this.#peer.output.sendToOne(frame, this.#subscriptions.keyOf(event));
  }

  ended(): void {
    this.#subscriptions.ended();
  }

  /**
   * Closes the peer, because the dialect has no error frame. The peer reconnects; the log has the
   * reason.
   */
  error(_request: RequestId, error: ProtocolError): void {
    this.#peer.close(error.code, error);
  }

  challenge(): void {}
  welcome(): void {}
  subscribed(): void {}
  published(): void {}

  publishRejected(_request: number, error: ProtocolError): void {
    this.#peer.countRejection(error);
  }

  goaway(): boolean {
    return false;
  }

  #sendEvent(frame: Uint8Array, key: string | undefined): void {
    if (frame.length <= this.#deps.frameBytesMax) this.#peer.output.send(frame, key);
    else this.#deps.counts.tooLong += 1;
  }

  /** Handles a few names at a time, as a request may have very many. */
  #carryOut(request: NamingRequest, bytes: Uint8Array): void {
    const { names, type } = request;
    const isOfQueues = QUEUE_TYPES.has(type);
    const errorOf = isOfQueues ? badQueue : badEvent;
    const countEach = LEAVING_TYPES.has(type) ? NAMES_PER_PIECE_LEAVING : NAMES_PER_PIECE;
    const nextNames = () => {
      const taken = names.take(countEach, (flaw) => this.#peer.drop(errorOf(flaw)));
      return isOfQueues || type === 'unsubscribe' ? taken : this.#withoutSystem(taken);
    };
    const first = nextNames();
    const act = this.#actOf(request, bytes, first);
    if (act === undefined) return;
    act(first);
    if (names.left === 0) return;
    this.#peer.inPieces(() => {
      act(nextNames());
      return names.left > 0;
    });
  }

  #withoutSystem(events: readonly string[]): readonly string[] {
    if (!events.some(isSystemChannel)) return events;
    return events.filter((event) => {
      const isDropped = isSystemChannel(event);
      if (isDropped) this.#peer.drop(systemEvent());
      return !isDropped;
    });
  }

  /** Returns what to do with the names; undefined if the whole request is rejected. */
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
        const publishing = new PhpPublishing(bytes, request.data, this.#deps.bridgedEvents);
        const bytesEach = publishing.bytesMax(request.names.left === 0 ? first : 'any');
        return this.#hasRoomFor(request.names, bytesEach)
          ? (events) => this.#publish(events, publishing)
          : undefined;
      }
      default:
        return this.#actForOne(request, bytes.subarray(request.data.start, request.data.end));
    }
  }

  /** Returns the action of a request whose data go to one peer for each name. */
  #actForOne({ type, names }: NamingRequest, data: Uint8Array): Act | undefined {
    if (!this.#hasRoomFor(names, data.length)) return undefined;
    if (type === 'enqueue') return (queues) => this.#queues.enqueue(queues, data);
    this.#peer.countReceived();
    return (events) => this.#publishToOne(events, data);
  }

  #publish(events: readonly string[], publishing: PhpPublishing): void {
    for (const event of events) {
      const publish = publishing.of(event);
      this.#deps.counts.lossy += publish.lossy;
      if (publish.isToSystem) this.#deps.counts.systemGroups += 1;
      this.#publishOne(publish, publishing.data);
    }
  }

  #publishOne({ event, channel, kind, payload }: PhpPublish, data: Uint8Array): void {
    const { events, roundRobin } = this.#deps;
    // Each field by itself: to spread objects takes longer than all the rest of a publication.
    const publication: native.Publication = {
      channel,
      kind,
      excludeSender: false,
      sender: '',
      messageId: '',
      meta: '',
      payload,
      number: 0,
      timeMs: 0,
      ephemeral: false,
      keyed: undefined,
    };
    const frame = native.encodePublish(publication);
    events.beginPublish(frame, new PhpPublication(channel, frame, { event, data }));
    this.#peer.publish(publication, frame, this, 0);
    events.endPublish(roundRobin.has(event));
  }

  /** Delivers each event to one PHP peer: neither others nor history get it. */
  #publishToOne(events: readonly string[], data: Uint8Array): void {
    for (const event of events) {
      const peer = this.#deps.roundRobin.next(event);
      if (peer === undefined) this.#deps.counts.unheard += 1;
      else peer.deliverToOne(event, php.eventFrame(event, data));
    }
  }

  /** Returns false if the request becomes too long with a copy of its data for each name. */
  #hasRoomFor({ count, bytesLength }: php.PhpNames, bytesEach: number): boolean {
    const { frameBytesMax } = this.#deps;
    const bytes = count * (FRAME_BYTES_BESIDE + bytesEach) + bytesLength;
    if (bytes <= frameBytesMax) return true;
    const sentence = `The request expands to ${bytes} bytes over all its channels; the limit is ${frameBytesMax}.`;
    this.#peer.countRejection(new ProtocolError('bad_length', sentence));
    return false;
  }
}
