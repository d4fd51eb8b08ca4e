import { encodeFrame, encodeText, limits, native, ProtocolError, utf8ByteLength } from '@groupcast/protocol';
import { type HubJsonReply, type HubJsonRequest, parseHubJsonRequest } from '@groupcast/protocol/schema';
import type { RequestId } from '../../routing/subscriber.ts';
import type { Dialect, HubChallenge, Requests } from '../dialect.ts';
import { errorText, type JsonEvents, namesOf } from './events.ts';
import { JsonHistory, type JsonHistoryOutcome } from './history.ts';
import { type ChannelPosition, JsonPublish, type JsonPublishOutcome } from './publish.ts';
import { JsonQueues } from './queues.ts';

/** Requests of one session, publishes and reads of history, that wait for the engine's answer. */
const REQUESTS_WAITING_MAX = 1_024;

type PublishRequest = Extract<HubJsonRequest, { type: 'publish' }>;
type HistoryRequest = Extract<HubJsonRequest, { type: 'history' }>;
type SubjectsRequest = Extract<HubJsonRequest, { type: 'subscribe' | 'unsubscribe' }>;

/** What the JSON sessions of a hub share. */
export interface JsonShared {
  readonly events: JsonEvents;
  /** The longest frame taken, and the most that one `publish` may hand on, in bytes. */
  readonly frameBytesMax: number;
}

/** One JSON object in each frame: see PROTOCOL.md, "JSON dialect". */
export class JsonDialect implements Dialect, JsonPublishOutcome, JsonHistoryOutcome {
  readonly name = 'json';
  readonly helloFirst = false;
  readonly heartbeats = false;
  readonly strict = false;
  readonly takesRuns = false;
  readonly #session: Requests;
  readonly #shared: JsonShared;
  readonly #queues: JsonQueues;
  #requestsWaiting = 0;

  constructor(session: Requests, shared: JsonShared) {
    this.#session = session;
    this.#shared = shared;
    this.#queues = new JsonQueues(session);
  }

  receivedAll(): void {}

  ended(): void {}

  receive(bytes: Uint8Array, start: number, end: number): void {
    const request = parseHubJsonRequest(bytes.subarray(start + limits.FRAME_HEADER_BYTES, end));
    switch (request.type) {
      case 'hello':
        this.#hello(request.version, request.nonce, request.name);
        return;
      case 'proof':
        this.#session.proof(Buffer.from(request.proof, 'hex'));
        return;
      case 'subscribe':
        this.#session.subscribe(request.id, subjectsOf(request));
        return;
      case 'unsubscribe':
        this.#session.unsubscribe(subjectsOf(request));
        if (request.id !== undefined) this.#send({ type: 'unsubscribed', id: request.id });
        return;
      case 'publish':
        this.#publish(request);
        return;
      case 'history':
        this.#history(request);
        return;
      case 'ping':
        this.#session.begin();
        this.#send({ type: 'pong', id: request.id });
        return;
      default:
        this.#queues.receive(request);
    }
  }

  challenge({ nonce, proof, otherProof }: HubChallenge): void {
    const other = otherProof === undefined ? {} : { other_proof: hex(otherProof) };
    this.#send({ type: 'challenge', nonce: hex(nonce), proof: hex(proof), ...other });
  }

  welcome(_heartbeatMs: number, frameBytesMax: number): void {
    // 0, because neither side sends heartbeats.
    const heartbeat = { heartbeat_ms: 0 };
    const { NATIVE_VERSION: version } = native;
    this.#send({ type: 'welcome', version, ...heartbeat, frame_bytes_max: frameBytesMax });
  }

  subscribed(request: RequestId, entries: readonly native.SubscribedEntry[]): void {
    this.#send({
      type: 'subscribed',
      id: request,
      positions: entries
        .filter((entry) => !entry.prefix)
        .map(({ name: channel, position: { epoch, offset } }) => ({ ...namesOf(channel), epoch, offset })),
      prefixes: entries.filter((entry) => entry.prefix).map((entry) => entry.name),
    });
  }

  error(request: RequestId, error: ProtocolError): void {
    this.#sendText(errorText(request, error));
  }

  deliver(frame: Uint8Array): void {
    this.#session.send(this.#shared.events.encode(frame));
  }

  goaway(): boolean {
    return false;
  }

  get publisher(): number {
    return this.#session.peer;
  }

  published(id: string | number, positions: readonly ChannelPosition[]): void {
    this.#requestsWaiting -= 1;
    const named = positions.map(({ channel, epoch, offset }) => ({ ...namesOf(channel), epoch, offset }));
    this.#send({ type: 'published', id, positions: named });
  }

  refused(id: string | number | undefined, error: ProtocolError): void {
    if (id !== undefined) this.#requestsWaiting -= 1;
    this.#session.refuse(id, error);
  }

  historyRead(text: string): void {
    this.#requestsWaiting -= 1;
    this.#session.sendPage(encodeFrame(encodeText(text)), []);
  }

  #hello(version: number, nonce: string, name: string): void {
    if (version !== native.NATIVE_VERSION) {
      const sentence = `Version ${version} was asked for; ${native.NATIVE_VERSION} is spoken here.`;
      throw new ProtocolError('unsupported_version', sentence);
    }
    this.#session.hello(Buffer.from(nonce, 'hex'), name);
  }

  #publish(request: PublishRequest): void {
    const { id, channels, data, sender, message_id: messageId, exclude_sender: excludeSender } = request;
    const { kind } = data;
    const payload = encodeText(data.text);
    const refusal = this.#refusalOf(request, payload.length);
    if (refusal !== undefined) {
      this.#session.refuse(id, refusal);
      return;
    }
    const slot = new JsonPublish(id, channels, this);
    if (id !== undefined) this.#requestsWaiting += 1;
    for (const [index, channel] of channels.entries()) {
      const publication = { channel, kind, excludeSender, sender, messageId, payload, number: 0 } as const;
      this.#session.publish(publication, native.encodePublish(publication), slot, slot.request(index));
    }
  }

  #refusalOf(request: PublishRequest, payloadBytes: number): ProtocolError | undefined {
    // A short request must not become 1,024 long publications.
    const bytes = publishBytes(request, payloadBytes);
    const { frameBytesMax } = this.#shared;
    if (bytes > frameBytesMax) {
      const sentence = `The publications would take ${bytes} bytes; ${frameBytesMax} are taken at once.`;
      return new ProtocolError('bad_length', sentence);
    }
    return request.id === undefined ? undefined : this.#waitingRefusal();
  }

  #waitingRefusal(): ProtocolError | undefined {
    if (this.#requestsWaiting < REQUESTS_WAITING_MAX) return undefined;
    const sentence = `${REQUESTS_WAITING_MAX} requests wait for their answers. Wait for some of them.`;
    return new ProtocolError('rate_limited', sentence);
  }

  #history({ id, channel, epoch, offset, limit }: HistoryRequest): void {
    const refusal = this.#waitingRefusal();
    if (refusal !== undefined) {
      this.#session.refuse(id, refusal);
      return;
    }
    const read = new JsonHistory(id, limit, this.#shared.frameBytesMax, this);
    this.#requestsWaiting += 1;
    this.#session.history(channel, { epoch, offset }, read, 0);
  }

  #send(reply: Reply): void {
    this.#sendText(JSON.stringify(reply));
  }

  #sendText(text: string): void {
    this.#session.send(encodeFrame(encodeText(text)));
  }
}

/** `subscribed` and `pong` without an id are written without the field. */
type Reply = WithId<'subscribed'> | WithId<'pong'> | Exclude<HubJsonReply, { type: 'subscribed' | 'pong' }>;
type WithId<Type> = Omit<Extract<HubJsonReply, { type: Type }>, 'id'> & { readonly id: RequestId };

function subjectsOf(request: SubjectsRequest): native.Subject[] {
  return [
    ...request.channels.map((name) => ({ name, prefix: false })),
    ...request.prefixes.map((name) => ({ name, prefix: true })),
  ];
}

/** What all native frames of a request take together, in bytes. */
function publishBytes(request: PublishRequest, payloadBytes: number): number {
  const names = utf8ByteLength(request.sender) + utf8ByteLength(request.message_id);
  const each = native.PUBLICATION_HEADER_BYTES + names + payloadBytes;
  return request.channels.reduce((bytes, channel) => bytes + each + utf8ByteLength(channel), 0);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
