import { native, type Position, type ProtocolError } from '@groupcast/protocol';
import { callEachUser, callUser } from '../connection/call-user.ts';

/** Reason for which publications after a position are lost. */
export type LossReason = Exclude<native.HistoryVerdict, 'recovered' | 'snapshot'>;

/** Callbacks for the publications of a channel. One object may serve any number of channels. */
export interface Subscriber {
  /**
   * Receives each publication once, in the order of the offsets (`publication.number`), including
   * those from the time without a connection. The payload stays valid. Ephemeral publications have
   * the offset of the publication before them. They may be lost, and never arrive twice.
   */
  deliver(publication: native.Publication): void;
  /** Called once, when the hub has subscribed the client: publications after `position` follow. */
  subscribed?(subject: native.Subject, position: Position): void;
  /** Called when publications are lost for good: those after `position` follow. */
  lost?(subject: native.Subject, position: Position, reason: LossReason): void;
  /**
   * Called when the hub rejected the subscription, once per connection: no publications follow. The
   * client asks the hub again every second until the subscriber unsubscribes.
   */
  rejected?(subject: native.Subject, error: ProtocolError): void;
}

/** Handle of a subscription, with the position of the last publication that was delivered. */
export interface Subscription {
  /** History that the offset belongs to; '' before `subscribed` is called. */
  readonly epoch: string;
  /** During `deliver`, the offset before that of the publication. */
  readonly offset: number;
  readonly position: Position;
}

/**
 *     new -> live <-> recovering
 *             |  \       |
 *             +- suspended
 *
 * - `new`: the hub has not told the position yet.
 * - `live`: each publication is the next one.
 * - `recovering`: publications were missed, and history is being read.
 * - `suspended`: not connected. The hub's next answer shows whether publications were missed.
 */
export type SubscriptionState = 'new' | 'live' | 'recovering' | 'suspended';

/** A SUBSCRIBE that the hub has not answered for all of its subjects. */
export interface SubscribeRequest {
  readonly number: number;
  readonly pending: Set<ChannelSubscription>;
  /** Whether it has one subject only. */
  readonly isSingle: boolean;
}

/** Subscription to a channel or a prefix: its subscribers and the position of all of them. */
export class ChannelSubscription implements Subscription {
  readonly subject: native.Subject;
  readonly subscribers: Set<Subscriber> = new Set();
  state: SubscriptionState = 'new';
  /** The last SUBSCRIBE for it, until it is answered. Answers to earlier ones are ignored. */
  request: SubscribeRequest | undefined;
  // Two fields and no object: the offset changes with each publication.
  #epoch = '';
  #offset = 0;

  constructor(subject: native.Subject) {
    this.subject = subject;
  }

  /** Position of the last publication that was delivered. A prefix has none. */
  get position(): Position {
    return { epoch: this.#epoch, offset: this.#offset };
  }

  /** Whether the hub delivers on this connection. */
  get isSubscribed(): boolean {
    return this.state === 'live' || this.state === 'recovering';
  }

  get epoch(): string {
    return this.#epoch;
  }

  get offset(): number {
    return this.#offset;
  }

  /**
   * Returns whether the hub continues the history of this subscription, so that offsets compare. If
   * the hub only renamed the epoch, this adopts the new name.
   */
  continuesAs(epoch: string, epochIs: native.EpochComparison): boolean {
    if (native.compareEpochs(epoch, this.#epoch) === 'same') return true;
    if (epochIs !== 'renamed') return false;
    this.#epoch = epoch;
    return true;
  }

  moveTo(position: Position): void {
    this.#epoch = position.epoch;
    this.#offset = position.offset;
  }

  /**
   * Delivers a publication to all subscribers. A subscriber that throws does not get it again: it
   * would throw forever.
   */
  deliver(publication: native.Publication): void {
    callEachUser(this.subscribers, deliver, publication);
    // Last: a subscriber that is added meanwhile gets this publication, after an earlier position.
    if (!this.subject.prefix) this.#offset = publication.number;
  }

  notifySubscribed(): void {
    for (const subscriber of this.subscribers) this.notifyPosition(subscriber);
  }

  /** Calls `subscribed` of one subscriber. */
  notifyPosition(subscriber: Subscriber): void {
    const notify = (one: Subscriber, position: Position): void => one.subscribed?.(this.subject, position);
    callUser(subscriber, notify, this.position);
  }

  notifyRefused(error: ProtocolError): void {
    callEachUser(this.subscribers, (one, given) => one.rejected?.(this.subject, given), error);
  }

  notifyLost(reason: LossReason): void {
    const notify = (one: Subscriber, position: Position): void => one.lost?.(this.subject, position, reason);
    callEachUser(this.subscribers, notify, this.position);
  }
}

function deliver(subscriber: Subscriber, publication: native.Publication): void {
  subscriber.deliver(publication);
}
