import { frameLength, isSystemChannel, native } from '@groupcast/protocol';
import type { Engine, EngineSink, HistoryQuery, HistorySlot, PublishSlot } from '../engine/engine.ts';
import { ChannelSubscribers } from './channel-subscribers.ts';
import { DeliveryRun } from './delivery-run.ts';
import { PrefixMap } from './prefix-map.ts';
import type { RequestId, Subscriber } from './subscriber.ts';

/** Gauges and counters of a router. */
export interface RouterStats {
  /** Channels subscribed to by name. */
  readonly channels: number;
  /** Prefixes subscribed to. */
  readonly prefixes: number;
  /** Pairs of a subscriber and a subject. */
  readonly subscriptions: number;
  /** Publications passed to the engine. */
  readonly published: number;
  /** Publications delivered, once per subscriber. */
  readonly delivered: number;
}

/** Cost of a delivery beside its bytes, in bytes. */
const SEND_WORK_BYTES = 256;

const NO_SUBSCRIBERS: ReadonlySet<Subscriber> = new Set();
const NO_SUBSCRIPTIONS: ReadonlySet<ChannelSubscribers> = new Set();
const NO_PREFIXES: readonly ChannelSubscribers[] = [];

/**
 * Routes publications between peers and the engine: knows the subscribers of each subject, and no
 * sockets. The first subscriber of a subject subscribes the engine to it; with the last one the
 * engine unsubscribes, and the router keeps nothing of the subject.
 */
export class Router implements EngineSink {
  readonly #engine: Engine;
  readonly #channels = new Map<string, ChannelSubscribers>();
  readonly #prefixes = new PrefixMap<ChannelSubscribers>();
  readonly #subscriptionsOf = new Map<Subscriber, Set<ChannelSubscribers>>();
  readonly #run = new DeliveryRun();
  #subscriptions = 0;
  #published = 0;
  // Without what left in runs.
  #delivered = 0;
  #work = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Bytes delivered since the start, with SEND_WORK_BYTES for each delivery: measures time while
   * the event loop is held.
   */
  get work(): number {
    return this.#work + this.#run.bytesSent + this.#run.slicesSent * SEND_WORK_BYTES;
  }

  /**
   * Adds to `work`: `frames` frames of `bytes` bytes in total left that are no live publications.
   */
  addWork(bytes: number, frames = 1): void {
    this.#work += bytes + frames * SEND_WORK_BYTES;
  }

  /** Publishes through the engine, which answers the slot and calls `deliver`. */
  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    this.#published += 1;
    this.#engine.publish(publication, frame, slot, request);
  }

  /**
   * Publishes `count` PUBLISH frames side by side from `start` to `end`, none of which has a
   * message id. Returns the bytes delivered in this call. Throws ProtocolError for an invalid
   * channel name, when all frames before it are published.
   */
  publishRun(bytes: Uint8Array, start: number, end: number, count: number, slot: PublishSlot): number {
    const before = this.#run.bytesSent;
    if (this.#engine.publishRun === undefined) this.#publishEach(bytes, start, end, slot);
    else {
      this.#published += count;
      try {
        this.#engine.publishRun(bytes, start, end, slot);
      } finally {
        this.#run.flush();
      }
    }
    return this.#run.bytesSent - before;
  }

  /**
   * Reads history through the engine, which answers the slot. The answer keeps its order with the
   * deliveries, as both leave the engine in order and nothing waits here.
   */
  history(query: HistoryQuery, slot: HistorySlot, request: number): void {
    this.#engine.history(query, slot, request);
  }

  /** Subscribes. Each call is answered once, now or later; subscribing again changes nothing. */
  subscribe(subject: native.Subject, subscriber: Subscriber, request: RequestId): void {
    const known = this.#find(subject);
    const channel = known ?? this.#add(subject);
    if (channel.add(subscriber, subject, request)) this.#joined(channel, subscriber);
    // Last, because the engine may answer within the call.
    if (known === undefined) this.#engine.subscribe(subject, channel);
  }

  /** Unsubscribes. Pending requests for the subject are not answered. */
  unsubscribe(subject: native.Subject, subscriber: Subscriber): void {
    const channel = this.#find(subject);
    if (channel?.remove(subscriber)) this.#left(channel, subscriber);
  }

  /** Ends all subscriptions of a subscriber. */
  remove(subscriber: Subscriber): void {
    for (const channel of this.#subscriptionsOf.get(subscriber) ?? NO_SUBSCRIPTIONS) {
      if (channel.remove(subscriber)) this.#left(channel, subscriber);
    }
  }

  /** Number of subjects that a subscriber is subscribed to. */
  subscriptionCount(subscriber: Subscriber): number {
    return this.#subscriptionsOf.get(subscriber)?.size ?? 0;
  }

  /** Returns whether the subscriptions would stay within `countMax` with these subjects added. */
  hasRoomFor(subscriber: Subscriber, subjects: readonly native.Subject[], countMax: number): boolean {
    const count = this.subscriptionCount(subscriber);
    if (count + subjects.length <= countMax) return true;
    const added = new Set<string>();
    for (const subject of subjects) {
      const isNew = !this.#find(subject)?.subscribers.has(subscriber);
      if (isNew) added.add(`${subject.prefix ? '*' : '='}${subject.name}`);
    }
    return count + added.size <= countMax;
  }

  /**
   * Delivers one copy to each subscriber of the channel, by name or by prefix. Returns the bytes
   * delivered.
   */
  deliver(channel: string, offset: number, frame: Uint8Array): number {
    this.#run.flush();
    const prefixes = this.#prefixesOf(channel);
    const exact = this.#channels.get(channel);
    let copies = 0;
    if (exact?.isLive) {
      exact.moveTo(offset);
      copies += exact.subscribers.size;
      for (const subscriber of exact.subscribers) subscriber.deliver(frame);
    }
    for (let index = 0; index < prefixes.length; index++) {
      const prefix = prefixes[index];
      if (!prefix?.isLive) continue;
      for (const subscriber of prefix.subscribers) {
        if (isServed(subscriber, exact, prefixes, index)) continue;
        copies += 1;
        subscriber.deliver(frame);
      }
    }
    this.#delivered += copies;
    this.#work += copies * (frame.length + SEND_WORK_BYTES);
    return copies * frame.length;
  }

  /**
   * Delivers an ephemeral publication, as far as the subscribers have room for it. Returns the
   * bytes delivered.
   */
  deliverEphemeral(channel: string, frame: Uint8Array): number {
    this.#run.flush();
    let copies = 0;
    for (const subscriber of this.#subscribersOf(channel)) {
      if (subscriber.deliverEphemeral(frame)) copies += 1;
    }
    this.#delivered += copies;
    this.#work += copies * (frame.length + SEND_WORK_BYTES);
    return copies * frame.length;
  }

  stats(): RouterStats {
    return {
      channels: this.#channels.size,
      prefixes: this.#prefixes.size,
      subscriptions: this.#subscriptions,
      published: this.#published,
      delivered: this.#delivered + this.#run.copiesSent,
    };
  }

  #publishEach(bytes: Uint8Array, start: number, end: number, slot: PublishSlot): void {
    for (let at = start; at < end; at += frameLength(bytes, at)) {
      const frame = bytes.subarray(at, at + frameLength(bytes, at));
      const publication = native.decodePublication(frame);
      this.publish(publication, frame, slot, publication.number);
    }
  }

  /** Returns the prefixes of a channel. Those of the system are subscribed to by name only. */
  #prefixesOf(channel: string): readonly ChannelSubscribers[] {
    if (this.#prefixes.size === 0 || isSystemChannel(channel)) return NO_PREFIXES;
    return this.#prefixes.matching(channel);
  }

  /** Returns the subscribers of a channel by name and by prefix, each once. */
  #subscribersOf(channel: string): ReadonlySet<Subscriber> {
    const exact = this.#channels.get(channel);
    const prefixes = this.#prefixesOf(channel);
    if (prefixes.length === 0) return exact?.isLive ? exact.subscribers : NO_SUBSCRIBERS;
    const all = new Set<Subscriber>(exact?.isLive ? exact.subscribers : NO_SUBSCRIBERS);
    for (const prefix of prefixes) {
      if (!prefix.isLive) continue;
      for (const subscriber of prefix.subscribers) all.add(subscriber);
    }
    return all;
  }

  #find(subject: native.Subject): ChannelSubscribers | undefined {
    return subject.prefix ? this.#prefixes.get(subject.name) : this.#channels.get(subject.name);
  }

  #add(subject: native.Subject): ChannelSubscribers {
    const channel = new ChannelSubscribers(subject, this.#run, this.#onRejected);
    if (subject.prefix) this.#prefixes.set(subject.name, channel);
    else this.#channels.set(subject.name, channel);
    return channel;
  }

  readonly #onRejected = (channel: ChannelSubscribers): void => {
    for (const subscriber of channel.subscribers) this.#forget(channel, subscriber);
    this.#end(channel);
  };

  #end(channel: ChannelSubscribers): void {
    channel.end();
    if (channel.subject.prefix) this.#prefixes.delete(channel.subject.name);
    else this.#channels.delete(channel.subject.name);
  }

  #joined(channel: ChannelSubscribers, subscriber: Subscriber): void {
    this.#subscriptions += 1;
    const channels = this.#subscriptionsOf.get(subscriber);
    if (channels === undefined) this.#subscriptionsOf.set(subscriber, new Set([channel]));
    else channels.add(channel);
  }

  #left(channel: ChannelSubscribers, subscriber: Subscriber): void {
    this.#forget(channel, subscriber);
    if (channel.subscribers.size > 0) return;
    this.#end(channel);
    this.#engine.unsubscribe(channel.subject);
  }

  #forget(channel: ChannelSubscribers, subscriber: Subscriber): void {
    this.#subscriptions -= 1;
    const channels = this.#subscriptionsOf.get(subscriber);
    channels?.delete(channel);
    if (channels?.size === 0) this.#subscriptionsOf.delete(subscriber);
  }
}

/** Returns whether the publication went to the subscriber by name or by an earlier prefix. */
function isServed(
  subscriber: Subscriber,
  exact: ChannelSubscribers | undefined,
  prefixes: readonly ChannelSubscribers[],
  index: number,
): boolean {
  if (exact?.isLive && exact.subscribers.has(subscriber)) return true;
  for (let before = 0; before < index; before++) {
    const prefix = prefixes[before];
    if (prefix?.isLive && prefix.subscribers.has(subscriber)) return true;
  }
  return false;
}
