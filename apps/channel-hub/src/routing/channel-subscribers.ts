import { type native, type Position, ProtocolError } from '@groupcast/protocol';
import type { SubscribeSlot } from '../engine/engine.ts';
import type { DeliveryRun } from './delivery-run.ts';
import type { RequestId, Subscriber } from './subscriber.ts';

/** Requests of one subscriber for one subject that may wait for the engine's answer. */
const PENDING_REQUESTS_MAX = 16;

interface PendingRequest {
  readonly subject: native.Subject;
  readonly request: RequestId;
}

/**
 * The subscribers of one channel or prefix.
 *
 *     subscribing --subscribed--> live --the last subscriber left--> ended
 *         \--the engine rejected it, or the last subscriber left--> ended
 *
 * Nothing is delivered before it is live, so each subscriber learns its position first. An answer
 * of the engine after the end is ignored.
 */
export class ChannelSubscribers implements SubscribeSlot {
  readonly subject: native.Subject;
  readonly #run: DeliveryRun;
  readonly #onRejected: (channel: ChannelSubscribers) => void;
  readonly #subscribers = new Set<Subscriber>();
  // The subscribers as an array that is replaced when they change; channels with the same
  // subscribers may share it.
  #audience: readonly Subscriber[] | undefined;
  #state: 'subscribing' | 'live' | 'ended' = 'subscribing';
  #pending: Map<Subscriber, PendingRequest[]> | undefined = new Map();
  #epoch = '';
  #offset = 0;

  /**
   * `run` gets what the engine delivers in runs. `onRejected` is called when the engine has
   * rejected the subject, before the subscribers are told.
   */
  constructor(subject: native.Subject, run: DeliveryRun, onRejected: (channel: ChannelSubscribers) => void) {
    this.subject = subject;
    this.#run = run;
    this.#onRejected = onRejected;
  }

  get isLive(): boolean {
    return this.#state === 'live';
  }

  get subscribers(): ReadonlySet<Subscriber> {
    return this.#subscribers;
  }

  /**
   * Adds a subscriber, and answers it at once if live. `subject` is that of its request. Returns
   * whether it is new.
   */
  add(subscriber: Subscriber, subject: native.Subject, request: RequestId): boolean {
    const isNew = !this.#subscribers.has(subscriber);
    if (isNew) this.#subscribers.add(subscriber);
    if (isNew) this.#audience = undefined;
    if (this.#state === 'live') subscriber.subscribed(subject, this.#position(), request);
    else this.#wait(subscriber, { subject, request });
    return isNew;
  }

  /** Removes a subscriber with its pending requests. Returns whether it was one. */
  remove(subscriber: Subscriber): boolean {
    this.#pending?.delete(subscriber);
    this.#audience = undefined;
    return this.#subscribers.delete(subscriber);
  }

  /** Records the offset of the last delivery. */
  moveTo(offset: number): void {
    this.#offset = offset;
  }

  deliverRun(offset: number, bytes: Uint8Array, start: number, end: number, count: number): void {
    if (this.#state !== 'live') return;
    this.#offset = offset;
    const held = this.#run.add(this.#currentAudience(), bytes, start, end, count);
    if (held !== undefined) {
      this.#audience = held;
      return;
    }
    this.#run.flush();
    this.#audience = this.#run.add(this.#currentAudience(), bytes, start, end, count);
  }

  end(): void {
    this.#state = 'ended';
    this.#pending = undefined;
  }

  subscribed(position: Position): void {
    if (this.#state !== 'subscribing') return;
    this.#state = 'live';
    this.#epoch = position.epoch;
    this.#offset = position.offset;
    for (const [subscriber, requests] of this.#takePending()) {
      for (const { subject, request } of requests) subscriber.subscribed(subject, position, request);
    }
  }

  subscribeRejected(error: ProtocolError): void {
    if (this.#state !== 'subscribing') return;
    const pending = this.#takePending();
    this.#onRejected(this);
    for (const [subscriber, requests] of pending) {
      for (const { subject, request } of requests) subscriber.subscribeRejected(subject, error, request);
    }
  }

  #currentAudience(): readonly Subscriber[] {
    this.#audience ??= [...this.#subscribers];
    return this.#audience;
  }

  #position(): Position {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  #wait(subscriber: Subscriber, pending: PendingRequest): void {
    const requests = this.#pending?.get(subscriber);
    if (requests === undefined) this.#pending?.set(subscriber, [pending]);
    else if (requests.length < PENDING_REQUESTS_MAX) requests.push(pending);
    else {
      const sentence = `${PENDING_REQUESTS_MAX} requests for this subject are pending. Wait for the answers.`;
      const error = new ProtocolError('rate_limited', sentence);
      subscriber.subscribeRejected(pending.subject, error, pending.request);
    }
  }

  #takePending(): ReadonlyMap<Subscriber, PendingRequest[]> {
    const pending = this.#pending ?? new Map<Subscriber, PendingRequest[]>();
    this.#pending = undefined;
    return pending;
  }
}
