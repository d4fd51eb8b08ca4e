import { encodeText, type native, type Position, ProtocolError } from '@groupcast/protocol';
import type {
  HistoryAnswer,
  HistoryPage,
  HistoryRead,
  HubPort,
  HubSubscriber,
  PublishAnswer,
  PublishOptions,
} from '../src/groups/hub-port.ts';

interface Channel {
  /** What is kept, oldest first, without a hole. */
  readonly ring: native.Publication[];
  /** How far each subscriber has come; nothing until it was told. */
  readonly subscribers: Map<HubSubscriber, Position | undefined>;
  offset: number;
}

interface Read {
  readonly channel: string;
  readonly since: Position;
  readonly answer: HistoryAnswer;
  isCanceled: boolean;
}

/** One call of a gateway to its hub. */
export interface HubCall {
  readonly name: 'subscribe' | 'unsubscribe' | 'submit' | 'history';
  readonly channel: string;
}

type PublishedWith = Partial<PublishOptions> & { kind?: native.PayloadKind };

/**
 * A hub in this process, and the link to it. It keeps a bounded history, and answers a turn later,
 * as a real one does, unless it is away. What is delivered obeys the rules of a link: who follows a
 * channel and has missed nothing gets each publication at once; who was cut off gets nothing more
 * until it has caught up.
 */
export class LoopbackHub implements HubPort {
  readonly calls: HubCall[] = [];
  epoch = 'epoch-1';
  /** Publications that are kept of each channel. */
  ringMax = 1_000;
  /** Publications of one page. */
  pageMax = 10;
  /** While true, the link is broken: nothing is answered or delivered. */
  away = false;
  /**
   * While true, nothing is answered by itself: `answerReads` and `catchUp` are called by the test.
   */
  byHand = false;
  /** What a gateway's next submit throws, as a defect of the client library would. */
  defect: Error | undefined;
  /** Reads that wait to be answered. */
  reads: Read[] = [];
  readonly #channels = new Map<string, Channel>();

  /** Channels that somebody follows. */
  get channels(): number {
    return [...this.#channels.values()].filter((channel) => channel.subscribers.size > 0).length;
  }

  subscribe(channel: string, subscriber: HubSubscriber): void {
    this.calls.push({ name: 'subscribe', channel });
    this.#channel(channel).subscribers.set(subscriber, undefined);
    if (!this.away && !this.byHand) setImmediate(() => this.#answerSubscriptions(channel));
  }

  unsubscribe(channel: string, subscriber: HubSubscriber): void {
    this.calls.push({ name: 'unsubscribe', channel });
    this.#channel(channel).subscribers.delete(subscriber);
  }

  history(channel: string, since: Position, answer: HistoryAnswer): HistoryRead {
    this.calls.push({ name: 'history', channel });
    const read: Read = { channel, since, answer, isCanceled: false };
    this.reads.push(read);
    if (!this.away && !this.byHand) setImmediate(() => this.answerReads());
    return {
      cancel: () => {
        read.isCanceled = true;
        this.reads = this.reads.filter((one) => one !== read);
      },
    };
  }

  publishWithAnswer(
    channel: string,
    text: string,
    options: PublishOptions,
    answer: PublishAnswer | undefined,
  ): void {
    this.calls.push({ name: 'submit', channel });
    const { defect } = this;
    this.defect = undefined;
    if (defect !== undefined) throw defect;
    if (this.away) {
      setImmediate(() => answer?.failed(new ProtocolError('hub_unavailable')));
      return;
    }
    setImmediate(() => {
      const position = this.publish(channel, text, options);
      answer?.accepted(position);
    });
  }

  /** Publishes as somebody else would, at once. */
  publish(name: string, payload: string | Uint8Array, options: PublishedWith = {}): Position {
    const channel = this.#channel(name);
    channel.offset += 1;
    const publication: native.Publication = {
      channel: name,
      kind: options.kind ?? 'text',
      excludeSender: options.excludeSender ?? false,
      sender: options.sender ?? '',
      messageId: options.messageId ?? '',
      payload: typeof payload === 'string' ? encodeText(payload) : payload,
      number: channel.offset,
    };
    channel.ring.push(publication);
    if (channel.ring.length > this.ringMax) channel.ring.shift();
    if (!this.away) {
      for (const [subscriber, position] of channel.subscribers) {
        if (position?.epoch !== this.epoch || position.offset !== channel.offset - 1) continue;
        channel.subscribers.set(subscriber, this.#top(channel));
        subscriber.deliver(publication);
      }
    }
    return this.#top(channel);
  }

  /** Publishes while the gateways' links are down. */
  publishUnheard(name: string, count: number): void {
    const { away } = this;
    this.away = true;
    for (let index = 0; index < count; index++) this.publish(name, `unheard ${index}`);
    this.away = away;
  }

  /** Forgets the history of a channel, but not where it stands. */
  trim(name: string): void {
    this.#channel(name).ring.length = 0;
  }

  /**
   * The hub ends and another one takes its place: everything is forgotten, and the links to it are
   * broken until `comeBack`.
   */
  restart(epoch: string): void {
    this.epoch = epoch;
    this.away = true;
    for (const channel of this.#channels.values()) {
      channel.offset = 0;
      channel.ring.length = 0;
    }
  }

  /** The link stands again. */
  comeBack(): void {
    this.away = false;
    if (this.byHand) return;
    for (const name of this.#channels.keys()) {
      this.#answerSubscriptions(name);
      this.catchUp(name, Number.POSITIVE_INFINITY);
    }
    this.answerReads();
  }

  /**
   * Tells new subscribers of a channel where it stands, and gives the next few publications to
   * those that missed some.
   */
  catchUp(name: string, count: number): void {
    if (this.away) return;
    this.#answerSubscriptions(name);
    const channel = this.#channel(name);
    for (const [subscriber, position] of channel.subscribers) {
      if (position === undefined) continue;
      const { verdict, publications } = this.#read(channel, position, count);
      if (verdict !== 'recovered') {
        channel.subscribers.set(subscriber, this.#top(channel));
        subscriber.lost({ name, prefix: false }, this.#top(channel), verdict);
      }
      for (const publication of publications) {
        channel.subscribers.set(subscriber, { epoch: this.epoch, offset: publication.number });
        subscriber.deliver(publication);
      }
    }
  }

  /**
   * Answers the reads that wait, or the first few of them; those who ask the same get the same
   * page.
   */
  answerReads(count: number = Number.POSITIVE_INFINITY): void {
    if (this.away) return;
    const pages = new Map<string, HistoryPage>();
    for (const read of this.reads.splice(0, count)) {
      // By the answer to one before it.
      if (read.isCanceled) continue;
      const { channel, since, answer } = read;
      const key = JSON.stringify([channel, since]);
      const page = pages.get(key) ?? this.#read(this.#channel(channel), since, this.pageMax);
      pages.set(key, page);
      answer.page(page);
    }
  }

  /** The reads that wait have waited too long. */
  failReads(): void {
    for (const read of this.reads.splice(0)) {
      if (!read.isCanceled) read.answer.failed(new ProtocolError('hub_unavailable'));
    }
  }

  #read(channel: Channel, since: Position, count: number): HistoryPage {
    const position = this.#top(channel);
    const missed = channel.offset - since.offset;
    if (since.epoch !== this.epoch || missed < 0)
      return { verdict: 'epoch_changed', position, publications: [] };
    if (missed > channel.ring.length) return { verdict: 'trimmed', position, publications: [] };
    const first = channel.ring.length - missed;
    return { verdict: 'recovered', position, publications: channel.ring.slice(first, first + count) };
  }

  #answerSubscriptions(name: string): void {
    if (this.away) return;
    const channel = this.#channel(name);
    for (const [subscriber, position] of channel.subscribers) {
      if (position !== undefined) continue;
      channel.subscribers.set(subscriber, this.#top(channel));
      subscriber.subscribed({ name, prefix: false }, this.#top(channel));
    }
  }

  #top(channel: Channel): Position {
    return { epoch: this.epoch, offset: channel.offset };
  }

  #channel(name: string): Channel {
    let channel = this.#channels.get(name);
    if (channel === undefined) {
      channel = { ring: [], subscribers: new Map(), offset: 0 };
      this.#channels.set(name, channel);
    }
    return channel;
  }
}
