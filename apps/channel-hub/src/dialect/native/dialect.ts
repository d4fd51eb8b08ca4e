import { limits, native, type Position, ProtocolError } from '@groupcast/protocol';
import type { HistoryPage, HistorySlot, PublishSlot } from '../../engine/engine.ts';
import type { RequestId } from '../../routing/subscriber.ts';
import type { HubChallenge, PeerDialect, Requests } from '../dialect.ts';
import { PublishRun } from './publish.ts';
import { NativeQueues } from './queues.ts';

/** Index of the opcode in a frame. */
const OPCODE_AT = limits.FRAME_HEADER_BYTES;

/** Request number for no answer, or in an ERROR for the whole connection. */
const NO_REQUEST = 0;

/** The binary dialect of gateways: see PROTOCOL.md, "Native messages". */
export class NativeDialect implements PeerDialect, PublishSlot, HistorySlot {
  readonly name = 'native';
  readonly helloFirst = true;
  readonly heartbeats = true;
  readonly strict = true;
  readonly publisher: number;
  readonly #peer: Requests;
  readonly #run = new PublishRun();
  readonly #queues: NativeQueues;
  /** Capabilities that HELLO announced. Undefined for a peer with the bare layouts. */
  #capabilities: number | undefined = native.ALL_CAPABILITIES;

  constructor(peer: Requests) {
    this.publisher = peer.id;
    this.#peer = peer;
    this.#queues = new NativeQueues(peer, (frame) => this.#formFor(frame));
  }

  get acceptsRuns(): boolean {
    return this.#capabilities !== undefined;
  }

  receive(bytes: Uint8Array, start: number, end: number): void {
    const isPlain = this.#capabilities !== undefined && native.isPlainPublish(bytes, start, end);
    if (isPlain && this.#run.add(bytes, start, end)) return;
    this.receivedAll();
    if (isPlain) this.#run.add(bytes, start, end);
    else this.#receiveFrame(bytes.subarray(start, end));
  }

  ended(): void {}

  receivedAll(): void {
    const { bytes, start, end, count } = this.#run;
    if (count === 0) return;
    this.#run.clear();
    this.#peer.publishRun(bytes, start, end, count, this);
  }

  published(request: number, position: Position): void {
    this.#peer.output.send(native.encodePublished({ request, position }));
  }

  publishRejected(request: number, error: ProtocolError): void {
    // An ERROR without a request would close the connection.
    if (request === NO_REQUEST) this.#peer.countRejection(error);
    else this.#peer.reject(request, error);
  }

  historyPage(request: number, { verdict, position, epochIs, more, frames }: HistoryPage): void {
    const { length: count } = frames;
    const header = native.encodePage({ request, verdict, position, count, epochIs, more });
    const isBare = this.#capabilities === undefined;
    // Pages have no ephemeral publications, so that each frame has a form for every peer.
    const forms = isBare ? frames.map((frame) => this.#formFor(frame) ?? frame) : frames;
    this.#peer.output.sendPage(this.#formFor(header) ?? header, forms);
  }

  historyRejected(request: number, error: ProtocolError): void {
    this.#peer.reject(request, error);
  }

  challenge(challenge: HubChallenge): void {
    this.#peer.output.send(native.encodeChallenge(challenge));
  }

  welcome(heartbeatMs: number, frameBytesMax: number): void {
    const { NATIVE_VERSION: version } = native;
    this.#send(native.encodeWelcome({ version, heartbeatMs, frameBytesMax }));
  }

  subscribed(request: RequestId, entries: readonly native.SubscribedEntry[]): void {
    this.#send(native.encodeSubscribed({ request: numberOf(request), entries }));
  }

  error(request: RequestId, error: ProtocolError): void {
    const { code, message } = error;
    this.#peer.output.send(native.encodeError({ request: numberOf(request), code, message }));
  }

  goaway(reconnectAfterMs: number): boolean {
    this.#peer.output.send(native.encodeGoaway({ reconnectAfterMs }));
    return true;
  }

  deliver(frame: Uint8Array): void {
    this.#send(frame);
  }

  #send(frame: Uint8Array): void {
    const form = this.#formFor(frame);
    if (form !== undefined) this.#peer.output.send(form);
  }

  /** Returns the form of a frame that the peer understands, if there is one. */
  #formFor(frame: Uint8Array): Uint8Array | undefined {
    return this.#capabilities === undefined ? native.toBare(frame) : frame;
  }

  #receiveFrame(received: Uint8Array): void {
    const frame = this.#capabilities === undefined ? native.fromBare(received) : received;
    if (frame[OPCODE_AT] !== native.OPCODES.publish) {
      this.#receiveOther(native.decodeNative(frame));
      return;
    }
    const publication = native.decodePublication(frame);
    this.#peer.publish(publication, frame, this, publication.number);
  }

  #receiveOther(message: native.NativeMessage): void {
    switch (message.type) {
      case 'hello':
        this.#capabilities = extendedOrNone(message.capabilities);
        this.#peer.hello(message.nonce, message.name);
        return;
      case 'proof':
        this.#peer.proof(message.proof);
        return;
      case 'subscribe':
        this.#peer.subscribe(message.request, message.subjects);
        return;
      case 'unsubscribe':
        this.#peer.unsubscribe(message.subjects);
        return;
      case 'history':
        this.#peer.history(message, this, message.request);
        return;
      case 'enqueue':
      case 'watch':
      case 'unwatch':
      case 'done':
      case 'failed':
        this.#queues.receive(message);
        return;
      default:
        throw new ProtocolError('bad_frame', `Only the hub sends "${message.type}".`);
    }
  }
}

/** Returns the capabilities of a peer with the extended layouts, undefined for others. */
function extendedOrNone(announced: number | undefined): number | undefined {
  const isExtended = native.hasCapability(announced ?? 0, native.CAPABILITIES.extended);
  return isExtended ? announced : undefined;
}

function numberOf(request: RequestId): number {
  return typeof request === 'number' ? request : NO_REQUEST;
}
