import type { native, Position } from '@groupcast/protocol';
import type { Engine, EngineSink, HistorySlot, PublishSlot } from './engine/engine.ts';
import { PrefixMap } from './prefix-map.ts';
import type { RequestId, Subscriber } from './subscriber.ts';
import { Topic } from './topic.ts';

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

const NO_TOPICS: ReadonlySet<Topic> = new Set();

/**
 * Who follows what, and so who gets a publication. Knows no sockets. The first subscriber of a subject makes the engine
 * follow it; the last one that leaves makes it stop, and nothing is left of the subject here then.
 */
export class Router implements EngineSink {
  readonly #engine: Engine;
  readonly #channels = new Map<string, Topic>();
  readonly #prefixes = new PrefixMap<Topic>();
  readonly #topicsOf = new Map<Subscriber, Set<Topic>>();
  readonly #onRefused = (topic: Topic): void => this.#refused(topic);
  #subscriptions = 0;
  #published = 0;
  #delivered = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Hands a publication to the engine, which answers the slot and delivers through `deliver`. */
  publish(publication: native.Publication, frame: Uint8Array, slot: PublishSlot, request: number): void {
    this.#published += 1;
    this.#engine.publish(publication, frame, slot, request);
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
