import { isChannelName, native, type Position, ProtocolError } from '@groupcast/protocol';
import type { Uplink } from '../connection/uplink.ts';
import type { HistoryPage } from '../history/history-page.ts';
import type { HistoryReads } from '../history/history-reads.ts';
import type { ChannelSubscription, LossReason, Subscriber } from './channel-subscription.ts';
import { batchesOf, SubscriptionTable } from './subscription-table.ts';

/** Counters of what was followed. */
export interface SubscriptionStats {
  /** Channels and prefixes that are followed. */
  readonly subjects: number;
  /** How often the hub has refused a subject that it had not refused on the same link before. */
  readonly subscriptionsRefused: number;
  /** Publications that came from the hub: live ones, and those that were missed at first. */
  readonly delivered: number;
  /** How often a channel had to be caught up with: after a break, after a hole, after a position that differed. */
  readonly recoveries: number;
  /** Publications that came once more, and were dropped. */
  readonly repeated: number;
  /** How often a publication came that was not the next one: others were lost while the link stood. */
  readonly holes: number;
  /** How often a position differed from the hub's while the link stood. */
  readonly positionLosses: number;
  /** How often the subscribers of a channel were told that publications are gone for good. */
  readonly lost: Readonly<Record<LossReason, number>>;
}

/** Subjects that the hub is asked for alone at a time, because it has refused them, or others in the same SUBSCRIBE. */
const ASKED_ALONE_MAX = 256;

/**
 * What this client follows: each publication is handed out once and in order, over broken links as well, or the subscribers are
 * told that some are lost.
 *
 * That needs no buffer. The hub's answers about a channel are in order with its deliveries: when it says that the channel
 * stands at T, all up to T was sent before on this link, and nothing behind it. So an interest that has missed something lets
 * live publications pass and reads pages, until one ends where the hub says that the channel stands.
 */
export class Subscriptions {
  readonly #uplink: Uplink;
  readonly #reads: HistoryReads;
  readonly #interests = new SubscriptionTable();
  /** Those whose history could not be read: it is tried again. */
  readonly #stalled = new Set<ChannelSubscription>();
  readonly #lost: Record<LossReason, number> = { epoch_changed: 0, trimmed: 0 };
  #refused = 0;
  #delivered = 0;
  #recoveries = 0;
  #repeated = 0;
  #holes = 0;
  #positionLosses = 0;

  constructor(uplink: Uplink, reads: HistoryReads) {
    this.#uplink = uplink;
    this.#reads = reads;
  }

  stats(): SubscriptionStats {
    return {
      subjects: this.#interests.size,
      subscriptionsRefused: this.#refused,
      delivered: this.#delivered,
      recoveries: this.#recoveries,
      repeated: this.#repeated,
      holes: this.#holes,
      positionLosses: this.#positionLosses,
      lost: { ...this.#lost },
    };
  }

  /** Throws a ProtocolError: `bad_channel` for an invalid name, `bad_field` for a subscriber without `deliver`. */
  add(subject: native.Subject, subscriber: Subscriber): void {
    if (!isChannelName(subject.name)) throw new ProtocolError('bad_channel');
    if (typeof subscriber?.deliver !== 'function') {
      throw new ProtocolError('bad_field', 'subscriber must be an object with a function deliver.');
    }
    const interest = this.#interests.add(subject);
    const isFirst = interest.subscribers.size === 0;
    interest.subscribers.add(subscriber);
    if (interest.state !== 'new') interest.notifyPosition(subscriber);
    else if (isFirst) this.#ask([interest]);
  }

  remove(subject: native.Subject, subscriber: Subscriber): void {
    const interest = this.#interests.find(subject);
    if (!interest?.subscribers.delete(subscriber) || interest.subscribers.size > 0) return;
    this.#interests.remove(interest);
    this.#stalled.delete(interest);
    if (this.#uplink.isOpen) this.#uplink.send(native.encodeUnsubscribe([subject]));
  }

  /** A link stands: the hub is asked for all there is. */
  resume(): void {
    this.#ask(this.#interests.all());
  }

  /** The link is gone. */
  suspend(): void {
    this.#interests.suspend();
    this.#stalled.clear();
  }

  /** Follows nothing any more. */
  clear(): void {
    this.#interests.clear();
    this.#stalled.clear();
  }

  /** What the hub has refused, and what could not be caught up with, is tried again. */
  retry(): void {
    this.#askAlone(this.#interests.toAskAgain(ASKED_ALONE_MAX));
    // Those that they waited for may have been unsubscribed.
    this.#askDoubtful();
    const stalled = [...this.#stalled];
    this.#stalled.clear();
    for (const interest of stalled) this.#read(interest);
  }

  /** Compares some of the positions with the hub's; `share` of all channels, 0 to 1. Calls with shares that add up to 1 reach each. */
  checkPositions(share: number): void {
    const interests = this.#interests;
    const isChecked = (one: ChannelSubscription): boolean => one.state === 'live' && !interests.isAsked(one);
    this.#ask(interests.nextChannels(Math.ceil(interests.channels.size * share)).filter(isChecked));
  }

  /** The hub has said where subjects stand. */
  subscribed(message: native.Subscribed): void {
    for (const entry of message.entries) {
      const interest = this.#interests.settle(message.request, entry);
      if (interest !== undefined) this.#compare(interest, entry.position);
    }
    this.#askDoubtful();
  }

  /**
   * The hub has refused a request; subscribers are told when it is clear that it was for their subject, once for each link. Returns
   * that subject.
   */
  refuse(request: number, error: ProtocolError): native.Subject | undefined {
    const interest = this.#interests.refuse(request);
    this.#askDoubtful();
    if (interest === undefined) return undefined;
    this.#refused += 1;
    interest.notifyRefused(error);
    return interest.subject;
  }

  /** A live publication. */
  deliver(publication: native.Publication): void {
    this.#delivered += 1;
    const { channel } = publication;
    const interest = this.#interests.channels.get(channel);
    if (interest !== undefined) this.#deliverTo(interest, publication);
    for (const [prefix, byPrefix] of this.#interests.prefixes) {
      if (byPrefix.state === 'live' && channel.startsWith(prefix)) byPrefix.deliver(publication);
    }
  }

  #deliverTo(interest: ChannelSubscription, publication: native.Publication): void {
    // Otherwise it is in the pages that are being read, or from before the hub has said where the channel stands.
    if (interest.state !== 'live') return;
    const next = interest.offset + 1;
    if (publication.number === next) {
      interest.deliver(publication);
    } else if (publication.number < next) {
      this.#repeated += 1;
    } else {
      this.#holes += 1;
      this.#recover(interest);
    }
  }

  /** The hub refuses a SUBSCRIBE as a whole, and may have room for some of it. */
  #askDoubtful(): void {
    this.#askAlone(this.#interests.takeDoubtful(ASKED_ALONE_MAX));
  }

  #askAlone(interests: readonly ChannelSubscription[]): void {
    for (const interest of interests) this.#ask([interest]);
  }

  #ask(interests: readonly ChannelSubscription[]): void {
    if (!this.#uplink.isOpen) return;
    for (const batch of batchesOf(interests)) {
      const request = this.#uplink.nextRequest();
      this.#interests.ask(request, batch);
      const subjects = batch.map(({ subject }) => subject);
      this.#uplink.send(native.encodeSubscribe({ request, subjects }));
    }
  }

  /** The hub says where an interest stands; all up to there has come on this link, if it was followed. */
  #compare(interest: ChannelSubscription, position: Position): void {
    const { state } = interest;
    // What it reads says more.
    if (state === 'recovering') return;
    if (state === 'new') {
      interest.state = 'live';
      interest.moveTo(position);
      interest.notifySubscribed();
    } else if (interest.subject.prefix || interest.isAt(position)) {
      interest.state = 'live';
    } else {
      if (state === 'live') this.#positionLosses += 1;
      if (interest.isBefore(position)) this.#recover(interest);
      // Otherwise a hub that was started again would be asked about each of very many channels, only to say the same.
      else this.#lose(interest, position, 'epoch_changed');
    }
  }

  #recover(interest: ChannelSubscription): void {
    interest.state = 'recovering';
    this.#recoveries += 1;
    this.#read(interest);
  }

  #read(interest: ChannelSubscription): void {
    const answer = {
      page: (page: HistoryPage): void => this.#take(interest, page),
      failed: (): void => {
        if (isRecovering(interest)) this.#stalled.add(interest);
      },
    };
    this.#reads.add(interest.subject.name, interest.position, answer, 'forget');
  }

  /** What comes next; nothing was taken since it was asked for. */
  #take(interest: ChannelSubscription, page: HistoryPage): void {
    for (const publication of page.publications) {
      // A subscriber may leave, or close the client, at any of them.
      if (!isRecovering(interest)) return;
      this.#delivered += 1;
      interest.deliver(publication);
    }
    if (!isRecovering(interest)) return;
    if (page.verdict !== 'recovered') this.#lose(interest, page.position, page.verdict);
    else if (interest.isAt(page.position)) interest.state = 'live';
    else this.#read(interest);
  }

  #lose(interest: ChannelSubscription, position: Position, reason: LossReason): void {
    this.#lost[reason] += 1;
    interest.state = 'live';
    interest.moveTo(position);
    interest.notifyLost(reason);
  }
}

/** Not so once everybody has left it, or the link has gone. */
function isRecovering(interest: ChannelSubscription): boolean {
  return interest.state === 'recovering' && interest.subscribers.size > 0;
}
