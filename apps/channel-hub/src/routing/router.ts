import { frameLength, native, type Position } from '@groupcast/protocol';
import type { Engine, EngineSink, FollowSlot, HistorySlot, PublishSlot, RunSink } from '../engine/engine.ts';
import { Topic } from './channel-subscribers.ts';
import { DeliveryRun } from './delivery-run.ts';
import { PrefixMap } from './prefix-map.ts';
import type { RequestId, Subscriber } from './subscriber.ts';

/** Gauges and counters of a router. */
export interface RouterStats {
  /** Channels that somebody follows by name. */
  readonly channels: number;
  /** Prefixes that somebody follows. */
  readonly prefixes: number;
  /** Pairs of subscriber and subject. */
  readonly subscriptions: number;
  /** Publications handed to the engine. */
  readonly published: number;
  /** Frames handed to subscribers. */
  readonly delivered: number;
}

/** What handing something out costs, in bytes of what is handed out, however little that is. */
const SEND_WORK_BYTES = 256;

const NO_TOPICS: ReadonlySet<Topic> = new Set();

/**
 * Who follows what, and so who gets a publication. Knows no sockets. The first subscriber of a subject makes the engine
 * follow it; the last one that leaves makes it stop, and nothing is left of the subject here then.
 */
export class Router implements EngineSink, RunSink {
  readonly #engine: Engine;
  readonly #channels = new Map<string, Topic>();
  readonly #prefixes = new PrefixMap<Topic>();
  readonly #topicsOf = new Map<Subscriber, Set<Topic>>();
  readonly #onRefused = (topic: Topic): void => this.#refused(topic);
  #subscriptions = 0;
  #published = 0;
  #delivered = 0;
  #work = 0;
  // Only within one `publishRun`: what it has delivered last, and how many bytes it has handed out.
  readonly #run = new DeliveryRun();
  #runBytes = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** What was handed out since the start, in bytes, with what it costs to hand anything out: a measure of time that runs while the loop is held. */
  get work(): number {
    return this.#work;
  }

  /** Frames were handed out, of `bytes` together, that are not live publications. */
  worked(bytes: number, frames = 1): void {
    this.#work += bytes + frames * SEND_WORK_BYTES;
  }

  /** Hands a publication to the engine, which answers the slot and delivers through `deliver`. */
  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    this.#published += 1;
    this.#engine.publish(publication, frame, slot, request);
  }

  /**
   * The same for the `count` PUBLISH frames that lie side by side from `start` to `end`, none of which has a message id. Answers how many bytes were
   * handed out in this call. Throws ProtocolError for a channel that is no name, when all before it is done.
   */
  publishRun(bytes: Uint8Array, start: number, end: number, count: number, slot: PublishSlot): number {
    this.#runBytes = 0;
    if (this.#engine.publishRun === undefined) this.#publishEach(bytes, start, end, slot);
    else {
      this.#published += count;
      try {
        this.#engine.publishRun(bytes, start, end, slot, this);
      } finally {
        this.#flushRun();
      }
    }
    return this.#runBytes;
  }

  /** From the engine, in `publishRun`. */
  deliverRun(
    follower: FollowSlot,
    offset: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
  ): void {
    if (!(follower instanceof Topic) || follower.state !== 'live') return;
    follower.moveTo(offset);
    if (this.#run.add(follower, bytes, start, end, count)) return;
    this.#flushRun();
    this.#run.add(follower, bytes, start, end, count);
  }

  /**
   * Asks the engine, which answers the slot. On its way the answer stays behind the deliveries that come before it, and ahead of
   * those that come after it: both leave the engine in order, and nothing waits here.
   */
  history(channel: string, since: Position, slot: HistorySlot, request: number): void {
    this.#engine.history(channel, since, slot, request);
  }

  /** The subscriber is answered once for each call, now or later. To subscribe again changes nothing. */
  subscribe(subject: native.Subject, subscriber: Subscriber, request: RequestId): void {
    const known = this.#topic(subject);
    const topic = known ?? this.#addTopic(subject);
    if (topic.add(subscriber, request)) this.#joined(topic, subscriber);
    // Last, because the engine may answer in this very call.
    if (known === undefined) this.#engine.follow(subject, topic);
  }

  /** Nothing of the subject is delivered to the subscriber any more. A request that is not answered yet never is. */
  unsubscribe(subject: native.Subject, subscriber: Subscriber): void {
    const topic = this.#topic(subject);
    if (topic?.remove(subscriber)) this.#left(topic, subscriber);
  }

  /** Takes a subscriber out of all its subjects. */
  remove(subscriber: Subscriber): void {
    for (const topic of this.#topicsOf.get(subscriber) ?? NO_TOPICS) {
      if (topic.remove(subscriber)) this.#left(topic, subscriber);
    }
  }

  follows(subject: native.Subject, subscriber: Subscriber): boolean {
    return this.#topic(subject)?.subscribers.has(subscriber) ?? false;
  }

  /** How many subjects a subscriber follows. */
  subjectCount(subscriber: Subscriber): number {
    return this.#topicsOf.get(subscriber)?.size ?? 0;
  }

  /** Whether it would follow at most so many if it subscribed to these, too. */
  hasRoomFor(subscriber: Subscriber, subjects: readonly native.Subject[], countMax: number): boolean {
    const count = this.subjectCount(subscriber);
    if (count + subjects.length <= countMax) return true;
    const added = new Set<string>();
    for (const subject of subjects) {
      if (!this.follows(subject, subscriber)) added.add(`${subject.prefix ? '*' : '='}${subject.name}`);
    }
    return count + added.size <= countMax;
  }

  /**
   * From the engine: one copy to everybody who follows the channel, by name or by prefix. Answers how many bytes were handed
   * out.
   */
  deliver(channel: string, offset: number, frame: Uint8Array): number {
    this.#flushRun();
    const topics = this.#prefixes.matching(channel);
    const exact = this.#channels.get(channel);
    let copies = 0;
    if (exact?.state === 'live') {
      exact.moveTo(offset);
      copies += exact.subscribers.size;
      for (const subscriber of exact.subscribers) subscriber.deliver(frame);
    }
    for (let index = 0; index < topics.length; index++) {
      const topic = topics[index];
      if (topic?.state !== 'live') continue;
      for (const subscriber of topic.subscribers) {
        if (isServed(subscriber, exact, topics, index)) continue;
        copies += 1;
        subscriber.deliver(frame);
      }
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
      delivered: this.#delivered,
    };
  }

  #publishEach(bytes: Uint8Array, start: number, end: number, slot: PublishSlot): void {
    for (let at = start; at < end; at += frameLength(bytes, at)) {
      const frame = bytes.subarray(at, at + frameLength(bytes, at));
      const publication = native.decodePublication(frame);
      this.publish(publication, frame, slot, publication.number);
    }
  }

  #flushRun(): void {
    const { slices, copies, bytes } = this.#run.flush();
    this.#delivered += copies;
    this.#runBytes += bytes;
    this.#work += bytes + slices * SEND_WORK_BYTES;
  }

  #topic(subject: native.Subject): Topic | undefined {
    return subject.prefix ? this.#prefixes.get(subject.name) : this.#channels.get(subject.name);
  }

  #addTopic(subject: native.Subject): Topic {
    const topic = new Topic(subject, this.#onRefused);
    if (subject.prefix) this.#prefixes.set(subject.name, topic);
    else this.#channels.set(subject.name, topic);
    return topic;
  }

  #dropTopic(topic: Topic): void {
    topic.end();
    if (topic.subject.prefix) this.#prefixes.delete(topic.subject.name);
    else this.#channels.delete(topic.subject.name);
  }

  #joined(topic: Topic, subscriber: Subscriber): void {
    this.#subscriptions += 1;
    const topics = this.#topicsOf.get(subscriber);
    if (topics === undefined) this.#topicsOf.set(subscriber, new Set([topic]));
    else topics.add(topic);
  }

  #left(topic: Topic, subscriber: Subscriber): void {
    this.#forget(topic, subscriber);
    if (topic.subscribers.size > 0) return;
    this.#dropTopic(topic);
    this.#engine.unfollow(topic.subject);
  }

  #refused(topic: Topic): void {
    for (const subscriber of topic.subscribers) this.#forget(topic, subscriber);
    this.#dropTopic(topic);
  }

  #forget(topic: Topic, subscriber: Subscriber): void {
    this.#subscriptions -= 1;
    const topics = this.#topicsOf.get(subscriber);
    topics?.delete(topic);
    if (topics?.size === 0) this.#topicsOf.delete(subscriber);
  }
}

/** Whether the subscriber got the publication already, by name or by one of the prefixes before this one. */
function isServed(
  subscriber: Subscriber,
  exact: Topic | undefined,
  prefixes: readonly Topic[],
  index: number,
): boolean {
  if (exact?.state === 'live' && exact.subscribers.has(subscriber)) return true;
  for (let before = 0; before < index; before++) {
    const topic = prefixes[before];
    if (topic?.state === 'live' && topic.subscribers.has(subscriber)) return true;
  }
  return false;
}
