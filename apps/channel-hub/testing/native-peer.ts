import { createNonce, createProof, Link, type LinkEnd, type LinkReceiver } from '@groupcast/link';
import { encodeText, native, type Position } from '@groupcast/protocol';
import { Inbox } from './inbox.ts';
import { connectRaw } from './raw-peer.ts';

type MessageOf<Type extends native.NativeMessage['type']> = Extract<native.NativeMessage, { type: Type }>;

/** Fields of a HISTORY beside the position. */
type HistoryFields = Pick<native.HistoryToEncode, 'last' | 'snapshot' | 'afterKey'>;

/** Fields of a publication that most tests leave out. */
type PublishFields = Partial<Omit<native.PublicationToEncode, 'channel' | 'payload' | 'number'>>;

/** A peer of the native dialect that records the frames of the hub. */
export class NativePeer implements LinkReceiver {
  readonly inbox: Inbox<native.NativeMessage> = new Inbox();
  /** Copies of the DELIVER frames. */
  readonly deliverFrames: Uint8Array[] = [];
  /** Deliveries and pages in order, by offset. */
  readonly events: string[] = [];
  readonly link: Link;
  readonly nonce: Uint8Array = createNonce();
  #lastRequest = 0;

  private constructor(link: (receiver: LinkReceiver) => Link) {
    this.link = link(this);
  }

  /** Connects, and sends nothing. */
  static async connect(port: number): Promise<NativePeer> {
    const socket = await connectRaw(port);
    return new NativePeer((receiver) => new Link(socket, receiver));
  }

  /** Connects, and waits for WELCOME. */
  static async open(port: number, secret?: string): Promise<NativePeer> {
    const peer = await NativePeer.connect(port);
    peer.hello();
    if (secret !== undefined) peer.prove(secret, await peer.take('challenge'));
    await peer.take('welcome');
    return peer;
  }

  /** Connects, announces these capabilities, and waits for WELCOME. */
  static async openWith(port: number, capabilities: number): Promise<NativePeer> {
    const peer = await NativePeer.connect(port);
    peer.hello('test', capabilities);
    await peer.take('welcome');
    return peer;
  }

  hello(name = 'test', capabilities: number = native.ALL_CAPABILITIES): void {
    const { NATIVE_VERSION: version } = native;
    this.link.send(native.encodeHello({ version, nonce: this.nonce, name, capabilities }));
  }

  prove(secret: string, challenge: native.Challenge): void {
    this.link.send(native.encodeProof(createProof(secret, 'peer', this.nonce, challenge.nonce)));
  }

  take<Type extends native.NativeMessage['type']>(type: Type): Promise<MessageOf<Type>> {
    return this.inbox.take((message): message is MessageOf<Type> => message.type === type);
  }

  /** Sends a SUBSCRIBE and waits for all its answers. */
  async subscribe(...subjects: native.Subject[]): Promise<native.SubscribedEntry[]> {
    const request = this.sendSubscribe(...subjects);
    const entries: native.SubscribedEntry[] = [];
    while (entries.length < subjects.length) {
      const answer = await this.inbox.take(
        (message): message is native.Subscribed =>
          message.type === 'subscribed' && message.request === request,
      );
      entries.push(...answer.entries);
    }
    return entries;
  }

  sendSubscribe(...subjects: native.Subject[]): number {
    this.#lastRequest += 1;
    this.link.send(native.encodeSubscribe({ request: this.#lastRequest, subjects }));
    return this.#lastRequest;
  }

  unsubscribe(...subjects: native.Subject[]): void {
    this.link.send(native.encodeUnsubscribe(subjects));
  }

  /** Sends a PUBLISH and waits for its position. */
  async publish(channel: string, text = '', messageId = ''): Promise<Position> {
    this.#lastRequest += 1;
    const request = this.#lastRequest;
    this.sendPublish(channel, text, request, messageId);
    const answer = await this.inbox.take(
      (message): message is native.Published => message.type === 'published' && message.request === request,
    );
    return answer.position;
  }

  /** Sends a PUBLISH; with request 0 it is not answered. */
  sendPublish(channel: string, text = '', request = 0, messageId = ''): void {
    const fields = { kind: 'text', excludeSender: false, sender: '', messageId } as const;
    this.link.send(native.encodePublish({ channel, ...fields, payload: encodeText(text), number: request }));
  }

  /** Sends a PUBLISH with more fields, and waits for its position. */
  async publishWith(channel: string, text: string, fields: PublishFields = {}): Promise<Position> {
    const request = this.sendPublishWith(channel, text, fields);
    const answer = await this.inbox.take(
      (message): message is native.Published => message.type === 'published' && message.request === request,
    );
    return answer.position;
  }

  sendPublishWith(channel: string, text: string, fields: PublishFields, request?: number): number {
    const number = request ?? this.#nextRequest();
    const names = { kind: 'text', excludeSender: false, sender: '', messageId: '' } as const;
    this.link.send(native.encodePublish({ channel, ...names, payload: text, number, ...fields }));
    return number;
  }

  /** Sends a PUBLISH of JSON that is not answered. */
  sendJson(channel: string, json: string): void {
    const fields = { kind: 'json', excludeSender: false, sender: '', messageId: '' } as const;
    this.link.send(native.encodePublish({ channel, ...fields, payload: json, number: 0 }));
  }

  /** Requests one page after a position, or what `fields` ask for, and waits for all of it. */
  async history(channel: string, since: Position, fields: HistoryFields = {}): Promise<ReadPage> {
    const request = this.sendHistory(channel, since, fields);
    return this.#pages.take((read): read is ReadPage => read.page.request === request);
  }

  sendHistory(channel: string, since: Position, fields: HistoryFields = {}): number {
    this.#lastRequest += 1;
    this.link.send(native.encodeHistory({ request: this.#lastRequest, channel, since, ...fields }));
    return this.#lastRequest;
  }

  /** Sends ENQUEUEs, and waits until the hub has all of them. */
  async enqueue(queue: string, ...texts: string[]): Promise<void> {
    const requests = texts.map((text) => this.sendEnqueue(queue, text));
    for (const request of requests) {
      await this.inbox.take(
        (message): message is native.Enqueued => message.type === 'enqueued' && message.request === request,
      );
    }
  }

  enqueueItem(item: Parameters<typeof native.encodeEnqueue>[0]): void {
    this.link.send(native.encodeEnqueue(item));
  }

  sendEnqueue(queue: string, text: string): number {
    this.#lastRequest += 1;
    this.link.send(native.encodeEnqueue({ request: this.#lastRequest, queue, kind: 'text', payload: text }));
    return this.#lastRequest;
  }

  watch(queue: string, concurrency: number): number {
    this.#lastRequest += 1;
    this.link.send(native.encodeWatch({ request: this.#lastRequest, queue, concurrency }));
    return this.#lastRequest;
  }

  unwatch(queue: string): void {
    this.link.send(native.encodeUnwatch(queue));
  }

  /** Reports the outcome of an item. */
  answer(type: 'done' | 'failed', { queue, item, attempt }: native.Item): void {
    this.link.send(native.encodeItemResult({ type, queue, item, attempt }));
  }

  /** Resolves with the text of the next publication. */
  async takeText(): Promise<string> {
    return Buffer.from((await this.take('deliver')).publication.payload).toString();
  }

  /** Resolves when the hub has handled all earlier frames, as it answers in order. */
  async settle(): Promise<void> {
    await this.publish('no subscriber');
  }

  #nextRequest(): number {
    this.#lastRequest += 1;
    return this.#lastRequest;
  }

  receiveSpan(bytes: Uint8Array, start: number, end: number): number {
    this.receive(bytes.subarray(start, end));
    return end - start;
  }

  receive(frame: Uint8Array): void {
    const message = native.decodeNative(frame);
    if (this.#takeIntoPage(message)) return;
    if (message.type === 'deliver') {
      this.deliverFrames.push(frame.slice());
      this.events.push(`deliver ${message.publication.number}`);
    }
    this.inbox.push(message);
  }

  closed(end: LinkEnd): void {
    this.#end = end;
    this.inbox.end(`The link has ended: ${end}.`);
    this.#pages.end(`The link has ended: ${end}.`);
    this.#onEnd();
  }

  /** Resolves with the end of the link as the peer sees it. */
  async ended(): Promise<LinkEnd> {
    while (this.#end === undefined) {
      await new Promise<void>((resolve) => {
        this.#onEnd = resolve;
      });
    }
    return this.#end;
  }

  /** Whether the message belongs to a page: its PAGE, or a DELIVER behind it. */
  #takeIntoPage(message: native.NativeMessage): boolean {
    if (message.type === 'page') this.#page = { page: message, publications: [] };
    const page = this.#page;
    if (page === undefined) return false;
    if (message.type === 'deliver') page.publications.push(message.publication);
    if (page.publications.length === page.page.count) {
      this.#page = undefined;
      this.events.push(`page up to ${page.page.position.offset}`);
      this.#pages.push(page);
    }
    return true;
  }

  #end: LinkEnd | undefined;
  #page: ReadPage | undefined;
  readonly #pages: Inbox<ReadPage> = new Inbox();
  #onEnd = (): void => {};
}

/** A PAGE and the frames behind it. */
export interface ReadPage {
  readonly page: native.Page;
  readonly publications: native.Publication[];
}

export function channel(name: string): native.Subject {
  return { name, prefix: false };
}

export function prefix(name: string): native.Subject {
  return { name, prefix: true };
}
