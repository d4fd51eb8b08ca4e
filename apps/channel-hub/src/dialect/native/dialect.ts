import { limits, native, type Position, ProtocolError } from '@groupcast/protocol';
import type { HistoryPage, HistorySlot, PublishSlot } from '../../engine/engine.ts';
import type { RequestId } from '../../routing/subscriber.ts';
import type { Dialect, HubChallenge, Requests } from '../dialect.ts';
import { PublishRun } from './publish.ts';
import { NativeQueues } from './queues.ts';

/** Where an opcode is in a frame. */
const OPCODE_AT = limits.FRAME_HEADER_BYTES;

/** In place of a request number: no answer is wanted, or (in an ERROR) the whole session is meant. */
const NO_REQUEST = 0;

/** The binary dialect of gateways: see PROTOCOL.md, "Native messages". */
export class NativeDialect implements Dialect, PublishSlot, HistorySlot {
  readonly name = 'native';
  readonly helloFirst = true;
  readonly heartbeats = true;
  readonly strict = true;
  readonly takesRuns = true;
  readonly publisher: number;
  readonly #session: Requests;
  readonly #run = new PublishRun();
  readonly #queues: NativeQueues;

  constructor(session: Requests) {
    this.publisher = session.peer;
    this.#session = session;
    this.#queues = new NativeQueues(session);
  }

  receive(bytes: Uint8Array, start: number, end: number): void {
    const isPlain = native.isPlainPublish(bytes, start, end);
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
    this.#session.publishRun(bytes, start, end, count, this);
  }

  published(request: number, position: Position): void {
    this.#session.send(native.encodePublished({ request, position }));
  }

  refused(request: number, error: ProtocolError): void {
    // An ERROR without a request would say that the session ends.
    if (request === NO_REQUEST) this.#session.countRefusal(error);
    else this.#session.refuse(request, error);
  }

  page(request: number, { verdict, position, frames }: HistoryPage): void {
    const { length: count } = frames;
    this.#session.sendPage(native.encodePage({ request, verdict, position, count }), frames);
  }

  notRead(request: number, error: ProtocolError): void {
    this.#session.refuse(request, error);
  }

  challenge(challenge: HubChallenge): void {
    this.#session.send(native.encodeChallenge(challenge));
  }

  welcome(heartbeatMs: number, frameBytesMax: number): void {
    this.#session.send(native.encodeWelcome({ version: native.NATIVE_VERSION, heartbeatMs, frameBytesMax }));
  }

  subscribed(request: RequestId, entries: readonly native.SubscribedEntry[]): void {
    this.#session.send(native.encodeSubscribed({ request: numberOf(request), entries }));
  }

  error(request: RequestId, error: ProtocolError): void {
    const { code, message } = error;
    this.#session.send(native.encodeError({ request: numberOf(request), code, message }));
  }

  goaway(reconnectAfterMs: number): boolean {
    this.#session.send(native.encodeGoaway({ reconnectAfterMs }));
    return true;
  }

  deliver(frame: Uint8Array): void {
    this.#session.send(frame);
  }

  #receiveFrame(frame: Uint8Array): void {
    if (frame[OPCODE_AT] !== native.OPCODES.publish) {
      this.#receiveOther(native.decodeNative(frame));
      return;
    }
    const publication = native.decodePublication(frame);
    this.#session.publish(publication, frame, this, publication.number);
  }

  #receiveOther(message: native.NativeMessage): void {
    switch (message.type) {
      case 'hello':
        this.#session.hello(message.nonce, message.name);
        return;
      case 'proof':
        this.#session.proof(message.proof);
        return;
      case 'subscribe':
        this.#session.subscribe(message.request, message.subjects);
        return;
      case 'unsubscribe':
        this.#session.unsubscribe(message.subjects);
        return;
      case 'history':
        this.#session.history(message.channel, message.since, this, message.request);
        return;
      case 'enqueue':
      case 'watch':
      case 'unwatch':
      case 'done':
      case 'failed':
        this.#queues.receive(message);
        return;
      default:
        throw new ProtocolError('bad_frame', `A peer must not send "${message.type}": only the hub does.`);
    }
  }
}

function numberOf(request: RequestId): number {
  return typeof request === 'number' ? request : NO_REQUEST;
}
