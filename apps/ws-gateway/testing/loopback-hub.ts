import { EventEmitter } from 'node:events';
import type { BanOptions, HubClientState, KeyedMapEvents, KeyedValue } from '@groupcast/hub-client';
import {
  type BanDetails,
  type BanTarget,
  banKey,
  encodeBan,
  encodeKick,
  encodeText,
  limits,
  native,
  type Position,
  ProtocolError,
} from '@groupcast/protocol';
import type {
  HistoryAnswer,
  HistoryFrom,
  HistoryPage,
  HistoryRead,
  HubKeyedMap,
  HubPort,
  HubSubscriber,
  PublishAnswer,
  PublishOptions,
  Subscription,
} from '../src/groups/hub-port.ts';

/** A subscription whose epoch is empty until the subscriber knows the position. */
class LoopbackSubscription implements Subscription {
  epoch = '';
  offset = 0;

  get position(): Position {
    return { epoch: this.epoch, offset: this.offset };
  }

  moveTo({ epoch, offset }: Position): void {
    this.epoch = epoch;
    this.offset = offset;
  }
}

interface Channel {
  /** Publications of the history, oldest first, without gaps. */
  readonly ring: native.Publication[];
  readonly subscribers: Map<HubSubscriber, LoopbackSubscription>;
  offset: number;
}

interface Read {
  readonly channel: string;
  readonly from: HistoryFrom;
  readonly answer: HistoryAnswer;
  isCanceled: boolean;
}

/** A call of a gateway to its hub. */
export interface HubCall {
  readonly name: 'subscribe' | 'unsubscribe' | 'publish' | 'history';
  readonly channel: string;
}

/** Live map of a keyed channel of a `LoopbackHub`. */
class LoopbackMap extends EventEmitter<KeyedMapEvents> implements HubKeyedMap {
  isReady = false;
  readonly #closed: () => void;
  /** Keys of the last load. */
  #keys: readonly string[] = [];

  constructor(closed: () => void) {
    super();
    this.#closed = closed;
  }

  /** Loads all values: for the first time, or again after a lost link. */
  load(values: ReadonlyMap<string, KeyedValue>): void {
    for (const key of this.#keys) if (!values.has(key)) this.emit('change', key, undefined);
    for (const [key, value] of values) this.emit('change', key, value);
    this.#keys = [...values.keys()];
    this.isReady = true;
    this.emit('ready');
  }

  close(): void {
    this.removeAllListeners();
    this.#closed();
  }
}

interface KeyedChannel {
  readonly values: Map<string, KeyedValue>;
  readonly maps: Set<LoopbackMap>;
}

type Published = Partial<PublishOptions> & { kind?: native.PayloadKind };

/**
 * A hub in this process with its connection. It has a bounded history, and answers in a later turn,
 * as a real hub does, unless it is away. It delivers by the rules of a hub client: a subscriber
 * that has every publication gets the next one at once; one that has not gets none until it catches
 * up.
 */
export class LoopbackHub implements HubPort {
  readonly calls: HubCall[] = [];
  epoch = 'epoch-1';
  /** Maximum publications of a channel's history. */
  ringMax = 1_000;
  /** Maximum publications of a page. */
  pageMax = 10;
  /** Whether the hub knows no keyed channels. */
  isOld = false;
  /** Whether the connection is broken: the hub answers and delivers nothing. */
  away = false;
  /** Whether the test calls `answerReads` and `catchUp`, and nothing is answered without it. */
  byHand = false;
  /** Clock of the hub, in milliseconds since 1970. */
  now = (): number => Date.now();
  /** Error that the next publish throws, as a defect of the client library would. */
  defect: Error | undefined;
  /** Pending reads. */
  reads: Read[] = [];
  /** Earlier names of the epoch. */
  readonly #earlierNames = new Set<string>();
  readonly #channels = new Map<string, Channel>();
  readonly #keyed = new Map<string, KeyedChannel>();
  readonly #events = new EventEmitter<{ state: [state: HubClientState] }>();

  /** Number of channels with a subscriber. */
  get channels(): number {
    return [...this.#channels.values()].filter((channel) => channel.subscribers.size > 0).length;
  }

  subscribe(channel: string, subscriber: HubSubscriber): Subscription {
    this.calls.push({ name: 'subscribe', channel });
    const subscription = new LoopbackSubscription();
    this.#channel(channel).subscribers.set(subscriber, subscription);
    if (!this.away && !this.byHand) setImmediate(() => this.#answerSubscriptions(channel));
    return subscription;
  }

  unsubscribe(channel: string, subscriber: HubSubscriber): void {
    this.calls.push({ name: 'unsubscribe', channel });
    this.#channel(channel).subscribers.delete(subscriber);
  }

  history(channel: string, from: HistoryFrom, answer: HistoryAnswer): HistoryRead {
    this.calls.push({ name: 'history', channel });
    const read: Read = { channel, from, answer, isCanceled: false };
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
    this.calls.push({ name: 'publish', channel });
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

  on(name: 'state', listener: (state: HubClientState) => void): void {
    this.#events.on(name, listener);
  }

  off(name: 'state', listener: (state: HubClientState) => void): void {
    this.#events.off(name, listener);
  }

  readValues(name: string, _afterKey: string, answer: HistoryAnswer<native.HistoryVerdict>): HistoryRead {
    let isCanceled = false;
    setImmediate(() => {
      if (isCanceled || this.away) return;
      if (this.isOld) answer.failed(new ProtocolError('unsupported'));
      else answer.page(this.#valuesOf(name));
    });
    return {
      cancel: () => {
        isCanceled = true;
      },
    };
  }

  keyed(name: string): HubKeyedMap {
    const channel = this.#keyedChannel(name);
    const map = new LoopbackMap(() => channel.maps.delete(map));
    channel.maps.add(map);
    if (this.isOld) setImmediate(() => map.emit('failed', new ProtocolError('unsupported')));
    else if (!this.away) setImmediate(() => this.#loadMaps(channel));
    return map;
  }

  /** Returns the number of open maps of a channel. */
  keyedMaps(name: string): number {
    return this.#keyedChannel(name).maps.size;
  }

  /** Sets the value of a key at once, as another client of the hub would. '' removes it. */
  set(name: string, key: string, text: string): void {
    const { values, maps } = this.#keyedChannel(name);
    const payload = encodeText(text);
    const value: KeyedValue = { payload, kind: 'json', sender: '', meta: '', timeMs: this.now() };
    if (text === '') values.delete(key);
    else values.set(key, value);
    if (this.away) return;
    for (const map of maps) map.emit('change', key, text === '' ? undefined : value);
  }

  async ban(target: BanTarget, { seconds: _, ...ban }: BanOptions = {}): Promise<void> {
    const value = encodeBan({ target, ...ban });
    await this.#answered();
    this.set(limits.BANS_CHANNEL, banKey(target), value);
  }

  async unban(target: BanTarget): Promise<void> {
    await this.#answered();
    this.set(limits.BANS_CHANNEL, banKey(target), '');
  }

  async kick(group: string, uid: string, details: BanDetails = {}): Promise<void> {
    const text = encodeKick({ group, uid, ...details });
    await this.#answered();
    this.publish(limits.BANS_CHANNEL, text, { kind: 'json' });
  }

  /** Publishes at once, as another client of the hub would. */
  publish(name: string, payload: string | Uint8Array, options: Published = {}): Position {
    const channel = this.#channel(name);
    const { ephemeral = false } = options;
    if (!ephemeral) channel.offset += 1;
    const publication: native.Publication = {
      ...native.PUBLICATION_DEFAULTS,
      channel: name,
      kind: options.kind ?? 'text',
      excludeSender: options.excludeSender ?? false,
      sender: options.sender ?? '',
      messageId: options.messageId ?? '',
      meta: options.meta ?? '',
      ephemeral,
      timeMs: this.now(),
      payload: typeof payload === 'string' ? encodeText(payload) : payload,
      number: channel.offset,
    };
    if (!ephemeral) channel.ring.push(publication);
    if (channel.ring.length > this.ringMax) channel.ring.shift();
    const before = ephemeral ? channel.offset : channel.offset - 1;
    if (!this.away) {
      for (const [subscriber, subscription] of channel.subscribers) {
        const { epoch, offset } = subscription;
        if (this.#compare(epoch) === 'changed' || offset !== before) continue;
        deliver(publication, subscriber, subscription);
      }
    }
    return this.#top(channel);
  }

  /** Delivers a publication whatever its offset, as a defect of the client library would. */
  deliver(publication: native.Publication): void {
    for (const [subscriber, subscription] of this.#channel(publication.channel).subscribers)
      deliver(publication, subscriber, subscription);
  }

  /** Publishes while the gateways are disconnected. */
  publishUnheard(name: string, count: number): void {
    const { away } = this;
    this.away = true;
    for (let index = 0; index < count; index++) this.publish(name, `unheard ${index}`);
    this.away = away;
  }

  /** Removes the history of a channel, but not its position. */
  trim(name: string): void {
    this.#channel(name).ring.length = 0;
  }

  /** Replaces the hub by one without history. Gateways are disconnected until `comeBack`. */
  restart(epoch: string): void {
    this.epoch = epoch;
    this.away = true;
    for (const channel of this.#channels.values()) {
      channel.offset = 0;
      channel.ring.length = 0;
    }
  }

  /** Renames the epoch. Subscribers learn it when they are told the position the next time. */
  rename(epoch: string): void {
    this.#earlierNames.add(this.epoch);
    this.epoch = epoch;
  }

  /** Connects the gateways again. */
  comeBack(): void {
    this.away = false;
    this.#events.emit('state', 'open');
    if (this.byHand) return;
    for (const name of this.#channels.keys()) {
      this.#answerSubscriptions(name);
      this.catchUp(name, Number.POSITIVE_INFINITY);
    }
    this.answerReads();
    for (const { values, maps } of this.#keyed.values()) for (const map of [...maps]) map.load(values);
  }

  /**
   * Tells new subscribers the position of a channel, and delivers up to `count` missed
   * publications.
   */
  catchUp(name: string, count: number): void {
    if (this.away) return;
    this.#answerSubscriptions(name);
    const channel = this.#channel(name);
    for (const [subscriber, subscription] of channel.subscribers) {
      if (subscription.epoch === '') continue;
      const { verdict, epochIs, publications } = this.#read(channel, subscription.position, count);
      if (epochIs === 'renamed') subscription.epoch = this.epoch;
      if (verdict !== 'recovered') {
        subscription.moveTo(this.#top(channel));
        subscriber.lost({ name, prefix: false }, this.#top(channel), verdict);
      }
      for (const publication of publications) deliver(publication, subscriber, subscription);
    }
  }

  /** Answers pending reads, or the first `count` of them. Equal reads get the same page. */
  answerReads(count: number = Number.POSITIVE_INFINITY): void {
    if (this.away) return;
    const pages = new Map<string, HistoryPage>();
    for (const read of this.reads.splice(0, count)) {
      // An answer before it may have canceled it.
      if (read.isCanceled) continue;
      const { channel, from, answer } = read;
      const key = JSON.stringify([channel, from]);
      const page = pages.get(key) ?? this.#read(this.#channel(channel), from, this.pageMax);
      pages.set(key, page);
      answer.page(page);
    }
  }

  /** Fails all pending reads. */
  failReads(): void {
    for (const read of this.reads.splice(0)) {
      if (!read.isCanceled) read.answer.failed(new ProtocolError('hub_unavailable'));
    }
  }

  #read(channel: Channel, from: HistoryFrom, count: number): HistoryPage {
    const position = this.#top(channel);
    const { length } = channel.ring;
    const isLast = 'last' in from;
    const missed = isLast ? Math.min(from.last, length) : channel.offset - from.offset;
    const epochIs = this.#compare(isLast ? undefined : from.epoch);
    const none = { position, epochIs, publications: [], more: false };
    if (epochIs === 'changed' || missed < 0) return { ...none, verdict: 'epoch_changed' };
    if (missed > length) return { ...none, verdict: 'trimmed' };
    const publications = channel.ring.slice(length - missed, length - missed + count);
    return { ...none, verdict: 'recovered', publications, more: publications.length < missed };
  }

  #answerSubscriptions(name: string): void {
    if (this.away) return;
    const channel = this.#channel(name);
    for (const [subscriber, subscription] of channel.subscribers) {
      if (subscription.epoch !== '') continue;
      subscription.moveTo(this.#top(channel));
      subscriber.subscribed({ name, prefix: false }, this.#top(channel));
    }
  }

  #compare(epoch: string | undefined): native.EpochComparison {
    return epoch !== undefined && this.#earlierNames.has(epoch)
      ? 'renamed'
      : native.compareEpochs(this.epoch, epoch);
  }

  #valuesOf(name: string): HistoryPage<native.HistoryVerdict> {
    const publications = Array.from(this.#keyedChannel(name).values, ([key, value]) => ({
      ...native.PUBLICATION_DEFAULTS,
      ...value,
      channel: name,
      excludeSender: false,
      messageId: '',
      number: 1,
      keyed: { key, lifeMs: 0 },
    }));
    const position = { epoch: this.epoch, offset: publications.length };
    return { verdict: 'snapshot', position, epochIs: 'changed', publications, more: false };
  }

  #loadMaps({ values, maps }: KeyedChannel): void {
    for (const map of maps) if (!map.isReady) map.load(values);
  }

  /** Resolves in a later turn. Rejects while the connection is broken. */
  async #answered(): Promise<void> {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    if (this.away) throw new ProtocolError('hub_unavailable');
  }

  #keyedChannel(name: string): KeyedChannel {
    const known = this.#keyed.get(name);
    if (known !== undefined) return known;
    const channel: KeyedChannel = { values: new Map(), maps: new Set() };
    this.#keyed.set(name, channel);
    return channel;
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

function deliver(
  publication: native.Publication,
  subscriber: HubSubscriber,
  subscription: LoopbackSubscription,
): void {
  subscriber.deliver(publication);
  // As in a hub client, the handle has the position before the publication during `deliver`.
  subscription.offset = Math.max(subscription.offset, publication.number);
}
