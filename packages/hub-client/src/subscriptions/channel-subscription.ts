import type { native, Position, ProtocolError } from '@groupcast/protocol';
import { callEachUser, callUser } from '../connection/call-user.ts';

/** Why what came after a position cannot be had any more. */
export type LossReason = Exclude<native.HistoryVerdict, 'recovered'>;

/** Who gets the publications of a channel. One object may serve any number of channels. */
export interface Subscriber {
  /**
   * Each publication once, in the order of its offsets (`publication.number`), those that came while the link was broken
   * included. The payload is valid as long as it is referred to.
   */
  deliver(publication: native.Publication): void;
  /** Once, when the subscription stands: what is delivered from here on comes after `position`. */
  subscribed?(subject: native.Subject, position: Position): void;
  /** Some publications cannot be had: what is delivered from here on comes after `position`. */
  lost?(subject: native.Subject, position: Position, reason: LossReason): void;
  /**
   * The hub has refused the subject: nothing of it is delivered. Told once for each link; the hub is asked again every second for as long as
   * the subject is subscribed to.
   */
  refused?(subject: native.Subject, error: ProtocolError): void;
}

/**
 *     new -> live <-> recovering
 *             |  \       |
 *             +- suspended
 *
 * - `new`: the hub has not said yet where the subject stands.
 * - `live`: each publication is the next one.
 * - `recovering`: something was missed, and its history is being read.
 * - `suspended`: the link is gone; what is missed shows when the hub has answered on the next one.
 */
export type SubscriptionState = 'new' | 'live' | 'recovering' | 'suspended';

/** One subject that somebody here follows, and how far everybody has been told of it. */
export class ChannelSubscription {
  readonly subject: native.Subject;
  readonly subscribers: Set<Subscriber> = new Set();
  state: SubscriptionState = 'new';
  /** Number of the last SUBSCRIBE for it: answers to earlier ones, from before an unsubscribe, are not for this interest. */
  request = 0;
  // Two fields and no object: the offset moves with each publication.
  #epoch = '';
  #offset = 0;

  constructor(subject: native.Subject) {
    this.subject = subject;
  }

  /** Of the last publication that was handed out. Means nothing while the interest is new; a prefix has none. */
  get position(): Position {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  /** Whether the hub delivers it on this link. */
  get isSubscribed(): boolean {
    return this.state === 'live' || this.state === 'recovering';
  }

  get offset(): number {
    return this.#offset;
  }

  isAt(position: Position): boolean {
    return this.#offset === position.offset && this.#epoch === position.epoch;
  }

  /** Whether a position is a later one of the same history. */
  isBefore(position: Position): boolean {
    return this.#offset < position.offset && this.#epoch === position.epoch;
  }

  moveTo(position: Position): void {
    this.#epoch = position.epoch;
    this.#offset = position.offset;
  }

  /**
   * Hands a publication to all subscribers. One that throws counts as one that has it: it would throw again, and so for ever.
   */
  deliver(publication: native.Publication): void {
    callEachUser(this.subscribers, deliver, publication);
    // Not before: somebody who subscribes meanwhile still gets this publication, and is told a position before it.
    if (!this.subject.prefix) this.#offset = publication.number;
  }

  notifySubscribed(): void {
    for (const subscriber of this.subscribers) this.notifyPosition(subscriber);
  }

  /** Tells one subscriber where the subscription stands. */
  notifyPosition(subscriber: Subscriber): void {
    const tell = (one: Subscriber, position: Position): void => one.subscribed?.(this.subject, position);
    callUser(subscriber, tell, this.position);
  }

  notifyRefused(error: ProtocolError): void {
    callEachUser(this.subscribers, (one, news) => one.refused?.(this.subject, news), error);
  }

  notifyLost(reason: LossReason): void {
    const tell = (one: Subscriber, position: Position): void => one.lost?.(this.subject, position, reason);
    callEachUser(this.subscribers, tell, this.position);
  }
}

function deliver(subscriber: Subscriber, publication: native.Publication): void {
  subscriber.deliver(publication);
}
