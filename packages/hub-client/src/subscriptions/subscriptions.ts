import { isChannelName, native, type Position, ProtocolError } from '@groupcast/protocol';
import type { Requests } from '../connection/requests.ts';
import type { HistoryPage } from '../history/history-page.ts';
import type { HistoryReads } from '../history/history-reads.ts';
import type {
  ChannelSubscription,
  LossReason,
  SubscribeRequest,
  Subscriber,
  Subscription,
} from './channel-subscription.ts';
import { batchesOf, SubscriptionTable } from './subscription-table.ts';

/** Counters of subscriptions. */
export interface SubscriptionStats {
  /** Channels and prefixes that are subscribed to. */
  readonly subjects: number;
  /** Subscriptions that the hub rejected, each counted once per connection. */
  readonly subscriptionsRejected: number;
  /** Publications received from the hub, live or from history. */
  readonly delivered: number;
  /** Recoveries of a channel: after a lost connection, a hole, or a position that differed. */
  readonly recoveries: number;
  /** Publications that were received again, and dropped. */
  readonly repeated: number;
  /** Ephemeral publications that were dropped, because what precedes them was not delivered yet. */
  readonly ephemeralDropped: number;
  /** Publications that were not the next one: others were lost on an open connection. */
  readonly holes: number;
  /** Positions that differed from the hub's on an open connection. */
  readonly positionLosses: number;
  /** Losses that subscribers were notified of, by reason. */
  readonly lost: Readonly<Record<LossReason, number>>;
}

/** Limit for pending requests with one subject, which follow rejected ones. */
const SINGLE_REQUESTS_MAX = 256;

/**
 * Subscriptions of this client. Each publication is delivered once and in order, over lost
 * connections as well, or the subscribers are notified that some are lost.
 *
 * This needs no buffer, because the hub's answers about a channel are in order with its deliveries.
 * When the hub says that the channel is at T, it has sent all up to T on this connection, and
 * nothing after it. So a subscription that missed something drops live publications and reads
 * pages, until a page ends at the position of the channel.
 */
export class Subscriptions {
  readonly #requests: Requests;
  readonly #reads: HistoryReads;
  readonly #onRefused: (subject: native.Subject, error: ProtocolError) => void;
  readonly #table = new SubscriptionTable();
  /** Subscriptions whose history could not be read. The read is retried. */
  readonly #stalled = new Set<ChannelSubscription>();
  readonly #lost: Record<LossReason, number> = { epoch_changed: 0, trimmed: 0 };
  #rejections = 0;
  #delivered = 0;
  #recoveries = 0;
  #repeated = 0;
  #ephemeralDropped = 0;
  #holes = 0;
  #positionLosses = 0;

  constructor(
    requests: Requests,
    reads: HistoryReads,
    onRefused: (subject: native.Subject, error: ProtocolError) => void,
  ) {
    this.#requests = requests;
    this.#reads = reads;
    this.#onRefused = onRefused;
  }

  stats(): SubscriptionStats {
    return {
      subjects: this.#table.size,
      subscriptionsRejected: this.#rejections,
      delivered: this.#delivered,
      recoveries: this.#recoveries,
      repeated: this.#repeated,
      ephemeralDropped: this.#ephemeralDropped,
      holes: this.#holes,
      positionLosses: this.#positionLosses,
      lost: { ...this.#lost },
    };
  }

  /**
   * Adds a subscriber. Throws a ProtocolError: `bad_channel` for an invalid name, `bad_field` for a
   * subscriber without `deliver`.
   */
  add(subject: native.Subject, subscriber: Subscriber): Subscription {
    if (!isChannelName(subject.name)) throw new ProtocolError('bad_channel');
    if (typeof subscriber?.deliver !== 'function') {
      throw new ProtocolError('bad_field', 'subscriber must be an object with a function deliver.');
    }
    const subscription = this.#table.add(subject);
    const isFirst = subscription.subscribers.size === 0;
    subscription.subscribers.add(subscriber);
    if (subscription.state !== 'new') subscription.notifyPosition(subscriber);
    else if (isFirst) this.#request([subscription]);
    return subscription;
  }

  remove(subject: native.Subject, subscriber: Subscriber): void {
    const subscription = this.#table.find(subject);
    if (!subscription?.subscribers.delete(subscriber) || subscription.subscribers.size > 0) return;
    const number = subscription.request?.number;
    this.#table.remove(subscription);
    // No answer need come to a request whose subjects are all unsubscribed.
    if (number !== undefined && !this.#table.isPending(number)) this.#requests.delete(number);
    this.#stalled.delete(subscription);
    if (this.#requests.isOpen) this.#requests.send(native.encodeUnsubscribe([subject]));
  }

  /** Requests all subscriptions on a new connection. */
  resume(): void {
    this.#request(this.#table.all());
  }

  /** Handles the end of the connection. */
  suspend(): void {
    this.#table.suspend();
    this.#stalled.clear();
  }

  clear(): void {
    this.#table.clear();
    this.#stalled.clear();
  }

  /** Retries rejected subscriptions and failed recoveries. */
  retry(): void {
    this.#requestEach(this.#table.toRetry(SINGLE_REQUESTS_MAX));
    // The requests that these waited for may have been unsubscribed.
    this.#requestDoubtful();
    const stalled = [...this.#stalled];
    this.#stalled.clear();
    for (const subscription of stalled) this.#read(subscription);
  }

  /**
   * Compares the positions of some channels with the hub's. `share` is their part of all channels,
   * 0 to 1; calls with shares that add up to 1 reach each channel.
   */
  checkPositions(share: number): void {
    const count = Math.ceil(this.#table.channels.size * share);
    const isChecked = ({ state, request }: ChannelSubscription): boolean =>
      state === 'live' && request === undefined;
    this.#request(this.#table.nextChannels(count).filter(isChecked));
  }

  /** Handles an answer to a SUBSCRIBE: the positions of some of its subjects, or of all. */
  subscribed({ request, entries }: native.Subscribed): void {
    for (const entry of entries) {
      const subscription = this.#table.accept(request, entry);
      if (subscription !== undefined) this.#compare(subscription, entry);
    }
    if (!this.#table.isPending(request)) this.#requests.delete(request);
    this.#requestDoubtful();
  }

  /** Delivers a live publication. */
  deliver(publication: native.Publication): void {
    this.#delivered += 1;
    const { channel } = publication;
    const subscription = this.#table.channels.get(channel);
    if (subscription !== undefined) this.#deliverTo(subscription, publication);
    for (const [prefix, byPrefix] of this.#table.prefixes) {
      if (byPrefix.state === 'live' && channel.startsWith(prefix)) byPrefix.deliver(publication);
    }
  }

  #deliverTo(subscription: ChannelSubscription, publication: native.Publication): void {
    if (publication.ephemeral) {
      this.#deliverEphemeral(subscription, publication);
      return;
    }
    // Otherwise it is part of the pages that are being read, or precedes the first position.
    if (subscription.state !== 'live') return;
    const next = subscription.offset + 1;
    if (publication.number === next) {
      subscription.deliver(publication);
    } else if (publication.number < next) {
      this.#repeated += 1;
    } else {
      this.#holes += 1;
      this.#recover(subscription);
    }
  }

  /** Delivers a publication that comes right after the one whose offset it carries, or never. */
  #deliverEphemeral(subscription: ChannelSubscription, publication: native.Publication): void {
    if (subscription.state === 'live' && publication.number === subscription.offset)
      subscription.deliver(publication);
    else this.#ephemeralDropped += 1;
  }

  /** Requests the subjects of rejected requests one by one: the hub may accept some of them. */
  #requestDoubtful(): void {
    this.#requestEach(this.#table.takeDoubtful(SINGLE_REQUESTS_MAX));
  }

  #requestEach(subscriptions: readonly ChannelSubscription[]): void {
    for (const subscription of subscriptions) this.#request([subscription]);
  }

  #request(subscriptions: readonly ChannelSubscription[]): void {
    if (!this.#requests.isOpen) return;
    for (const batch of batchesOf(subscriptions)) {
      const number = this.#requests.nextNumber();
      const request = this.#table.addRequest(number, batch);
      this.#requests.add(number, { rejected: (error) => this.#rejected(request, error) });
      const subjects = batch.map(({ subject, epoch }) => (epoch === '' ? subject : { ...subject, epoch }));
      this.#requests.send(native.encodeSubscribe({ request: number, subjects }));
    }
  }

  #rejected(request: SubscribeRequest, error: ProtocolError): void {
    const subscription = this.#table.reject(request);
    this.#requestDoubtful();
    if (subscription === undefined) return;
    this.#rejections += 1;
    subscription.notifyRefused(error);
    this.#onRefused(subscription.subject, error);
  }

  /** Compares a subscription with the position that the hub told. */
  #compare(subscription: ChannelSubscription, { position, epochIs }: native.SubscribedEntry): void {
    const { state } = subscription;
    // Its pages tell more.
    if (state === 'recovering') return;
    if (state === 'new') {
      subscription.state = 'live';
      subscription.moveTo(position);
      subscription.notifySubscribed();
      return;
    }
    const isContinued = subscription.subject.prefix || subscription.continuesAs(position.epoch, epochIs);
    const missed = subscription.subject.prefix ? 0 : position.offset - subscription.offset;
    if (isContinued && missed === 0) {
      subscription.state = 'live';
      return;
    }
    if (state === 'live') this.#positionLosses += 1;
    if (isContinued && missed > 0) this.#recover(subscription);
    // A read would only repeat this answer, for each channel of a hub that was restarted.
    else this.#lose(subscription, position, 'epoch_changed');
  }

  #recover(subscription: ChannelSubscription): void {
    subscription.state = 'recovering';
    this.#recoveries += 1;
    this.#read(subscription);
  }

  #read(subscription: ChannelSubscription): void {
    const answer = {
      page: (page: HistoryPage): void => this.#deliverPage(subscription, page),
      failed: (): void => {
        if (isRecovering(subscription)) this.#stalled.add(subscription);
      },
    };
    const question = { channel: subscription.subject.name, since: subscription.position };
    this.#reads.add(question, answer, 'drop');
  }

  #deliverPage(subscription: ChannelSubscription, page: HistoryPage): void {
    if (!isRecovering(subscription)) return;
    // A position after a publication of the page has the epoch of the page.
    subscription.continuesAs(page.position.epoch, page.epochIs);
    for (const publication of page.publications) {
      // Any subscriber may unsubscribe, or close the client.
      if (!isRecovering(subscription)) return;
      this.#delivered += 1;
      subscription.deliver(publication);
    }
    if (!isRecovering(subscription)) return;
    if (page.verdict !== 'recovered') this.#lose(subscription, page.position, page.verdict);
    else if (subscription.offset === page.position.offset) subscription.state = 'live';
    else this.#read(subscription);
  }

  #lose(subscription: ChannelSubscription, position: Position, reason: LossReason): void {
    this.#lost[reason] += 1;
    subscription.state = 'live';
    subscription.moveTo(position);
    subscription.notifyLost(reason);
  }
}

/** Returns false after the last subscriber has left or the connection was lost. */
function isRecovering(subscription: ChannelSubscription): boolean {
  return subscription.state === 'recovering' && subscription.subscribers.size > 0;
}
