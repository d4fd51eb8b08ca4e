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

type Capability = keyof typeof native.CAPABILITIES;

/** The binary dialect of gateways: see PROTOCOL.md, "Native messages". */
export class NativeDialect implements PeerDialect, PublishSlot, HistorySlot {
  readonly name = 'native';
  readonly helloFirst = true;
  readonly heartbeats = true;
  readonly strict = true;
  readonly publisher: number;
  readonly #peer: Requests;
  readonly #frameBytesMax: number;
  readonly #run = new PublishRun();
  readonly #queues: NativeQueues;
  // Capabilities that HELLO announced; before it nothing depends on them.
  #announced: number = native.ALL_CAPABILITIES;
  // Whether the peer has the layouts of this version, and whether it understands all of it.
  #isExtended = true;
  #isComplete = true;

  /** `frameBytesMax`: limit of a frame, as announced to peers. */
  constructor(peer: Requests, frameBytesMax: number) {
    this.publisher = peer.id;
    this.#peer = peer;
    this.#frameBytesMax = frameBytesMax;
    this.#queues = new NativeQueues(peer, (frame) => this.#formFor(frame));
  }

  get acceptsRuns(): boolean {
    return this.#isExtended;
  }

  get acceptsEphemeral(): boolean {
    return native.hasCapability(this.#announced, native.CAPABILITIES.ephemeral);
  }

  receive(bytes: Uint8Array, start: number, end: number): void {
    const isPlain = this.#isExtended && native.isPlainPublish(bytes, start, end);
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
    // Pages have no ephemeral publications, so that each frame has a form for every peer.
    const forms = this.#isComplete ? frames : frames.map((frame) => this.#formFor(frame) ?? frame);
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
    return this.#isComplete ? frame : native.formFor(frame, this.#announced);
  }

  #receiveFrame(received: Uint8Array): void {
    const frame = this.#isExtended ? received : native.fromBare(received);
    const opcode = frame[OPCODE_AT] ?? 0;
    if (opcode === native.OPCODES.publish) this.#publish(native.decodePublication(frame), frame);
    else if (native.mayHaveOpcode(this.#announced, opcode)) this.#skip();
    else this.#receiveOther(native.decodeNative(frame));
  }

  #announce(capabilities: number): void {
    const { ALL_CAPABILITIES, CAPABILITIES, hasCapability } = native;
    this.#isExtended = hasCapability(capabilities, CAPABILITIES.extended);
    // The other capabilities of this version need the layouts of it.
    this.#announced = this.#isExtended ? capabilities : capabilities & ~ALL_CAPABILITIES;
    this.#isComplete = hasCapability(capabilities, ALL_CAPABILITIES);
  }

  #publish(publication: native.Publication, frame: Uint8Array): void {
    const error = this.#capabilityError(neededBy(publication)) ?? this.#lengthError(frame);
    if (error === undefined) this.#peer.publish(publication, frame, this, publication.number);
    else this.publishRejected(publication.number, error);
  }

  #history(message: native.History): void {
    const error = this.#capabilityError(message.snapshot ? 'keyed' : undefined);
    if (error === undefined) this.#peer.history(message, this, message.request);
    else this.historyRejected(message.request, error);
  }

  #skip(): void {
    this.#peer.ensureOpen();
    this.#peer.countSkipped();
  }

  /**
   * Returns the error of a PUBLISH that fits in the bare layout only: in that of other peers it is
   * longer, and would end their connections.
   */
  #lengthError({ length }: Uint8Array): ProtocolError | undefined {
    if (length <= this.#frameBytesMax) return undefined;
    this.#peer.ensureOpen();
    const sentence = `The publication needs a frame of ${length} bytes for peers with capabilities; the limit is ${this.#frameBytesMax}. Send a smaller one.`;
    return new ProtocolError('bad_length', sentence);
  }

  /** Returns the error of a request that needs a capability, if the peer did not announce it. */
  #capabilityError(needed: Capability | undefined): ProtocolError | undefined {
    if (needed === undefined || native.hasCapability(this.#announced, native.CAPABILITIES[needed])) return;
    this.#peer.ensureOpen();
    const sentence = `The peer did not announce the capability ${needed}. Announce it in HELLO.`;
    return new ProtocolError('unsupported', sentence);
  }

  #receiveOther(message: native.NativeMessage): void {
    switch (message.type) {
      case 'hello':
        this.#announce(message.capabilities ?? 0);
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
        this.#history(message);
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

/** Returns the capability that a publication needs beside the layout of its frame. */
function neededBy({ ephemeral, keyed }: native.Publication): Capability | undefined {
  if (ephemeral) return 'ephemeral';
  return keyed === undefined ? undefined : 'keyed';
}

function numberOf(request: RequestId): number {
  return typeof request === 'number' ? request : NO_REQUEST;
}
