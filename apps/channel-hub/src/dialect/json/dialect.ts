import { encodeText, limits, native, ProtocolError, utf8ByteLength } from '@groupcast/protocol';
import { type HubJsonRequest, parseHubJsonRequest } from '@groupcast/protocol/schema';
import type { RequestId } from '../../routing/subscriber.ts';
import type { HubChallenge, PeerDialect, Requests } from '../dialect.ts';
import { errorText, type JsonEvents, namesOf } from './events.ts';
import { JsonHistory } from './history.ts';
import { JsonPublish } from './publish.ts';
import { JsonQueues } from './queues.ts';
import { JsonReplies } from './replies.ts';

type PublishRequest = Extract<HubJsonRequest, { type: 'publish' }>;
type HistoryRequest = Extract<HubJsonRequest, { type: 'history' }>;
type SubjectsRequest = Extract<HubJsonRequest, { type: 'subscribe' | 'unsubscribe' }>;

/** The parts of a hub that its JSON peers share. */
export interface JsonDeps {
  readonly events: JsonEvents;
  /** Limit of a frame, and of all publications of one `publish`, in bytes. */
  readonly frameBytesMax: number;
}

/** One JSON object per frame: see PROTOCOL.md, "JSON dialect". */
export class JsonDialect implements PeerDialect {
  readonly name = 'json';
  readonly helloFirst = false;
  readonly heartbeats = false;
  readonly strict = false;
  readonly acceptsRuns = false;
  readonly acceptsEphemeral = true;
  readonly #peer: Requests;
  readonly #deps: JsonDeps;
  readonly #replies: JsonReplies;
  readonly #queues: JsonQueues;

  constructor(peer: Requests, deps: JsonDeps) {
    this.#peer = peer;
    this.#deps = deps;
    this.#replies = new JsonReplies(peer);
    this.#queues = new JsonQueues(peer, this.#replies);
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
        this.#peer.proof(Buffer.from(request.proof, 'hex'));
        return;
      case 'subscribe':
        this.#peer.subscribe(request.id, subjectsOf(request));
        return;
      case 'unsubscribe':
        this.#peer.unsubscribe(subjectsOf(request));
        if (request.id !== undefined) this.#replies.send({ type: 'unsubscribed', id: request.id });
        return;
      case 'publish':
        this.#publish(request);
        return;
      case 'history':
        this.#history(request);
        return;
      case 'ping':
        this.#peer.ensureOpen();
        this.#replies.send({ type: 'pong', id: request.id });
        return;
      default:
        this.#queues.receive(request);
    }
  }

  challenge({ nonce, proof, otherProof }: HubChallenge): void {
    const other = otherProof === undefined ? {} : { other_proof: hex(otherProof) };
    this.#replies.send({ type: 'challenge', nonce: hex(nonce), proof: hex(proof), ...other });
  }

  welcome(_heartbeatMs: number, frameBytesMax: number): void {
    // 0, because neither side sends heartbeats.
    const heartbeat = { heartbeat_ms: 0 };
    const { NATIVE_VERSION: version } = native;
    this.#replies.send({ type: 'welcome', version, ...heartbeat, frame_bytes_max: frameBytesMax });
  }

  subscribed(request: RequestId, entries: readonly native.SubscribedEntry[]): void {
    this.#replies.send({
      type: 'subscribed',
      id: request,
      positions: entries
        .filter((entry) => !entry.prefix)
        .map(({ name: channel, position: { epoch, offset } }) => ({ ...namesOf(channel), epoch, offset })),
      prefixes: entries.filter((entry) => entry.prefix).map((entry) => entry.name),
    });
  }

  error(request: RequestId, error: ProtocolError): void {
    this.#replies.sendText(errorText(request, error));
  }

  deliver(frame: Uint8Array): void {
    this.#peer.output.send(this.#deps.events.encode(frame));
  }

  goaway(): boolean {
    return false;
  }

  #hello(version: number, nonce: string, name: string): void {
    if (version !== native.NATIVE_VERSION) {
      const sentence = `Version ${version} is not supported; the version is ${native.NATIVE_VERSION}.`;
      throw new ProtocolError('unsupported_version', sentence);
    }
    this.#peer.hello(Buffer.from(nonce, 'hex'), name);
  }

  #publish(request: PublishRequest): void {
    const { id, channels } = request;
    this.#peer.ensureOpen();
    const payload = encodeText(request.data.text);
    const error = this.#peer.systemChannelError(channels) ?? this.#publishError(request, payload.length);
    if (error !== undefined) {
      this.#peer.reject(id, error);
      return;
    }
    const content = contentOf(request, payload);
    const slot = new JsonPublish(this.#peer.id, id, channels, this.#replies);
    for (const [index, channel] of channels.entries()) {
      const publication = { ...content, channel };
      this.#peer.publish(publication, native.encodePublish(publication), slot, slot.request(index));
    }
  }

  #publishError(request: PublishRequest, payloadBytes: number): ProtocolError | undefined {
    // A short request must not become 1,024 long publications.
    const bytes = publishBytes(request, payloadBytes);
    const { frameBytesMax } = this.#deps;
    if (bytes > frameBytesMax) {
      const sentence = `The publications take ${bytes} bytes in total; the limit is ${frameBytesMax}.`;
      return new ProtocolError('bad_length', sentence);
    }
    return request.id === undefined ? undefined : this.#replies.pendingError;
  }

  #history({ id, channel, epoch, offset, last = 0, limit }: HistoryRequest): void {
    const error = this.#replies.pendingError;
    if (error !== undefined) {
      this.#peer.reject(id, error);
      return;
    }
    const read = new JsonHistory(id, limit, this.#deps.frameBytesMax, this.#replies);
    this.#peer.history({ channel, since: { epoch, offset }, last }, read, 0);
  }
}

function subjectsOf(request: SubjectsRequest): native.Subject[] {
  return [
    ...request.channels.map((name) => ({ name, prefix: false })),
    ...request.prefixes.map((name) => ({ name, prefix: true })),
  ];
}

/** Returns the publication to each channel of a request. */
function contentOf(request: PublishRequest, payload: Uint8Array): Omit<native.Publication, 'channel'> {
  const { data, sender, message_id: messageId, exclude_sender: excludeSender, meta, store, key } = request;
  const keyed = key === undefined ? undefined : { key, lifeMs: request.life_ms ?? 0 };
  const names = { sender, messageId, meta, keyed };
  return { ...names, kind: data.kind, excludeSender, ephemeral: !store, payload, number: 0, timeMs: 0 };
}

/** Returns the bytes of all native frames that a request becomes. */
function publishBytes(request: PublishRequest, payloadBytes: number): number {
  const { sender, message_id: messageId, meta, key } = request;
  const names = utf8ByteLength(sender) + utf8ByteLength(messageId) + utf8ByteLength(meta);
  const keyBytes = key === undefined ? 0 : native.KEY_HEADER_BYTES + utf8ByteLength(key);
  const each = native.PUBLICATION_HEADER_BYTES + names + keyBytes + payloadBytes;
  return request.channels.reduce((bytes, channel) => bytes + each + utf8ByteLength(channel), 0);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
