import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createNonce, createProof, isProof } from '@groupcast/link';
import { encodeText, FrameDecoder, native, type Position } from '@groupcast/protocol';
import { EventQueue, freePort, RawSocket } from '@groupcast/testkit';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';

export const EPOCH = 'epoch-1';

const HEARTBEAT_MS = 5_000;
const FRAME_BYTES_MAX = 10 * 1024 * 1024;

type MessageType = native.NativeMessage['type'];
type MessageOf<Type extends MessageType> = Extract<native.NativeMessage, { type: Type }>;

/** A hub that does nothing by itself: the test decides what it answers, valid or not. */
export class FakeHub {
  readonly port: number;
  /** The connections so far, in order. */
  readonly sessions: EventQueue<FakeSession> = new EventQueue('connection');
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.sessions.push(new FakeSession(socket)));
  }

  /** Listens on a free port, unless one is given. */
  static async start(port?: number): Promise<FakeHub> {
    const server = createServer().listen(port ?? (await freePort()), '127.0.0.1');
    await once(server, 'listening');
    return new FakeHub(server);
  }

  /** Resolves with the next connection, before anything was sent on it. */
  accept(): Promise<FakeSession> {
    return this.sessions.next();
  }

  /** Resolves with the next connection, after a handshake without a secret. */
  async welcome(welcome: Partial<native.Welcome> = {}): Promise<FakeSession> {
    const session = await this.accept();
    await session.expect('hello');
    session.welcome(welcome);
    return session;
  }

  /** Destroys every connection and frees the port. */
  async close(): Promise<void> {
    for (const session of this.sessions.all) session.raw.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** The fake hub's end of one connection. */
export class FakeSession {
  readonly raw: RawSocket;
  /** Messages of the client. */
  readonly received: EventQueue<native.NativeMessage> = new EventQueue('message');

  constructor(socket: Socket) {
    this.raw = new RawSocket(socket);
    const decoder = new FrameDecoder();
    const receive = (frame: Uint8Array): void => {
      if (frame.length > 4) this.received.push(native.decodeNative(frame));
    };
    socket.on('data', (chunk: Uint8Array) => decoder.push(chunk, receive));
    void this.raw.closed.then(() => this.received.end('the client has gone'));
  }

  /** Removes and returns the next message, which must have this type. */
  async expect<Type extends MessageType>(type: Type): Promise<MessageOf<Type>> {
    const message = await this.received.next();
    if (message.type !== type) throw new Error(`The client sent ${message.type}, not ${type}.`);
    return message as MessageOf<Type>;
  }

  /** Sends frames that arrive together. */
  send(...frames: Uint8Array[]): void {
    void this.raw.write(Buffer.concat(frames));
  }

  welcome(welcome: Partial<native.Welcome> = {}): void {
    const { version = native.NATIVE_VERSION } = welcome;
    const { heartbeatMs = HEARTBEAT_MS, frameBytesMax = FRAME_BYTES_MAX } = welcome;
    const { capabilities = native.ALL_CAPABILITIES } = welcome;
    this.send(native.encodeWelcome({ version, heartbeatMs, frameBytesMax, capabilities }));
  }

  /** Proves a secret. Resolves with whether the client's answer proves it too. */
  async challenge(hello: native.Hello, secret: string): Promise<boolean> {
    const nonce = createNonce();
    this.send(native.encodeChallenge({ nonce, proof: createProof(secret, 'hub', hello.nonce, nonce) }));
    const { proof } = await this.expect('proof');
    return isProof(proof, createProof(secret, 'peer', hello.nonce, nonce));
  }

  /** Answers the next SUBSCRIBE: every channel is at this offset. */
  async takeSubscribe(offset = 0, epoch = EPOCH): Promise<native.Subscribe> {
    const subscribe = await this.expect('subscribe');
    this.send(subscribed(subscribe, offset, epoch));
    return subscribe;
  }

  /** Answers the next HISTORY. The channel is at the end of the page, or at `top`. */
  async takeHistory(texts: readonly string[], top?: number): Promise<native.History> {
    const history = await this.expect('history');
    this.send(page(history, texts, top));
    return history;
  }

  /** Answers the next ENQUEUE. */
  async takeEnqueue(): Promise<native.Enqueue> {
    const enqueue = await this.expect('enqueue');
    this.send(native.encodeEnqueued(enqueue));
    return enqueue;
  }

  /** Sends items of a queue with these texts, numbered from `first`. */
  hand(queue: string, texts: readonly string[], first = 1, attempt = 1): void {
    const items = texts.map((payload, index) => ({ item: first + index, queue, attempt, payload }));
    this.send(...items.map((item) => native.encodeItem({ ...item, kind: 'text' })));
  }

  /** Answers the next PUBLISH with this offset. */
  async takePublish(offset: number): Promise<native.Publication> {
    const { publication } = await this.expect('publish');
    this.send(published(publication.number, offset));
    return publication;
  }
}

export function subscribed(subscribe: native.Subscribe, offset = 0, epoch = EPOCH): Uint8Array {
  const entries = subscribe.subjects.map((subject) => ({
    ...subject,
    position: subject.prefix ? { epoch: '', offset: 0 } : { epoch, offset },
    epochIs: native.compareEpochs(epoch, subject.epoch),
  }));
  return native.encodeSubscribed({ request: subscribe.request, entries });
}

/** Encodes a page with publications of these texts, after the requested position. */
export function page(history: native.History, texts: readonly string[], top?: number): Uint8Array {
  const { request, channel, since } = history;
  const position = { epoch: since.epoch, offset: top ?? since.offset + texts.length };
  return Buffer.concat([
    native.encodePage({ request, verdict: 'recovered', position, count: texts.length }),
    ...texts.map((text, index) => delivery(channel, since.offset + 1 + index, text)),
  ]);
}

/** Encodes a page without publications, with the position of the channel. */
export function noPage(
  history: native.History,
  verdict: 'epoch_changed' | 'trimmed',
  position: Position,
): Uint8Array {
  const epochIs = native.compareEpochs(position.epoch, history.since.epoch);
  return native.encodePage({ request: history.request, verdict, position, count: 0, epochIs });
}

export function published(request: number, offset: number): Uint8Array {
  return native.encodePublished({ request, position: { epoch: EPOCH, offset } });
}

export function delivery(channel: string, offset: number, text: string): Uint8Array {
  return native.encodeDeliver({
    channel,
    ...TEXT_FIELDS,
    payload: encodeText(text),
    number: offset,
  });
}
