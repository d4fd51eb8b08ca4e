import { type native, type Position, ProtocolError } from '@groupcast/protocol';
import type { FollowSlot } from '../engine/engine.ts';
import type { RequestId, Subscriber } from './subscriber.ts';

/** How often one subscriber may ask for a subject before its first request is answered. */
const REQUESTS_WAITING_MAX = 16;

/**
 * One subject that somebody follows.
 *
 *     following --followed--> live --the last subscriber left--> ended
 *         \--the engine refused, or the last subscriber left--> ended
 *
 * Nothing is delivered before the topic is live, so that every subscriber knows its position first. An answer that comes
 * when the topic has ended is nobody's.
 */
export class Topic implements FollowSlot {
  readonly subject: native.Subject;
  readonly #subscribers = new Set<Subscriber>();
  #audience: readonly Subscriber[] | undefined;
  readonly #onRefused: (topic: Topic) => void;
  #state: 'following' | 'live' | 'ended' = 'following';
  #waiting: Map<Subscriber, RequestId[]> | undefined = new Map();
  #epoch = '';
  #offset = 0;

  /** `onRefused`: the engine does not follow the subject; its subscribers are told after this call. */
  constructor(subject: native.Subject, onRefused: (topic: Topic) => void) {
    this.subject = subject;
    this.#onRefused = onRefused;
  }

  get state(): 'following' | 'live' | 'ended' {
    return this.#state;
  }

  get subscribers(): ReadonlySet<Subscriber> {
    return this.#subscribers;
  }

  /** The same, as an array that is another one when they change. */
  get audience(): readonly Subscriber[] {
    this.#audience ??= [...this.#subscribers];
    return this.#audience;
  }

  /** Another topic's audience is the same: from now on the two have one array, and are told to be the same at a glance. */
  shareAudience(audience: readonly Subscriber[]): void {
    this.#audience = audience;
  }

  /** Answers at once when the topic is live. Whether the subscriber is new. */
  add(subscriber: Subscriber, request: RequestId): boolean {
    const isNew = !this.#subscribers.has(subscriber);
    if (isNew) this.#subscribers.add(subscriber);
    if (isNew) this.#audience = undefined;
    if (this.#state === 'live') subscriber.subscribed(this.subject, this.#position(), request);
    else this.#wait(subscriber, request);
    return isNew;
  }

  /** Takes unanswered requests back, too. Whether it was a subscriber. */
  remove(subscriber: Subscriber): boolean {
    this.#waiting?.delete(subscriber);
    this.#audience = undefined;
    return this.#subscribers.delete(subscriber);
  }

  /** A publication of this channel was delivered. */
  moveTo(offset: number): void {
    this.#offset = offset;
  }

  end(): void {
    this.#state = 'ended';
    this.#waiting = undefined;
  }

  followed(position: Position): void {
    if (this.#state !== 'following') return;
    this.#state = 'live';
    this.#epoch = position.epoch;
    this.#offset = position.offset;
    for (const [subscriber, requests] of this.#takeWaiting()) {
      for (const request of requests) subscriber.subscribed(this.subject, position, request);
    }
  }

  notFollowed(error: ProtocolError): void {
    if (this.#state !== 'following') return;
    const waiting = this.#takeWaiting();
    this.#onRefused(this);
    for (const [subscriber, requests] of waiting) {
      for (const request of requests) subscriber.notSubscribed(this.subject, error, request);
    }
  }

  #position(): Position {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  #wait(subscriber: Subscriber, request: RequestId): void {
    const requests = this.#waiting?.get(subscriber);
    if (requests === undefined) this.#waiting?.set(subscriber, [request]);
    else if (requests.length < REQUESTS_WAITING_MAX) requests.push(request);
    else {
      const sentence = 'Earlier requests for the same subject are not answered yet. Wait for them.';
      subscriber.notSubscribed(this.subject, new ProtocolError('rate_limited', sentence), request);
    }
  }

  #takeWaiting(): ReadonlyMap<Subscriber, RequestId[]> {
    const waiting = this.#waiting ?? new Map<Subscriber, RequestId[]>();
    this.#waiting = undefined;
    return waiting;
  }
}
