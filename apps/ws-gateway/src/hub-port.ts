import type { native, Position, ProtocolError } from '@groupcast/protocol';

/** Why what came after a position cannot be had any more. */
export type LossReason = Exclude<native.HistoryVerdict, 'recovered'>;

/** Who gets a channel's publications. */
export interface HubSubscriber {
  /** Every publication of a channel once, in the order of its offsets, those that came while the link was broken included. */
  deliver(publication: native.Publication): void;
  /** Once, when the subscription stands: what is delivered from here on comes after `position`. */
  subscribed(subject: native.Subject, position: Position): void;
  /** Some publications cannot be had: what is delivered from here on comes after `position`. */
  lost(subject: native.Subject, position: Position, reason: LossReason): void;
}

/** How one publish ends: exactly one of the two is called, once. */
export interface PublishAnswer {
  published(position: Position): void;
  failed(error: ProtocolError): void;
}

/** What came in a channel after a position, or a part of it. */
export interface HistoryPage {
  readonly verdict: native.HistoryVerdict;
  /** Where the channel stands. When the last of the publications is not there, more can be read from it on. */
  readonly position: Position;
  /** In order, from the first after the position that was asked for; none unless `recovered`. */
  readonly publications: readonly native.Publication[];
}

/** How one reading of history ends: exactly one of the two is called, once. */
export interface HistoryAnswer {
  /**
   * When the page reaches its position, everything up to there has been delivered to those who follow the channel on a healthy
   * link, and nothing behind it.
   */
  page(page: HistoryPage): void;
  failed(error: ProtocolError): void;
}

/** What goes with a payload. */
export interface SubmitOptions {
  /** Client id of the publisher. */
  readonly sender: string;
  readonly messageId?: string;
  /** Keep the publication from the connection whose client id is `sender`. Default false. */
  readonly excludeSender?: boolean;
}

/** The part of `HubClient` that a gateway uses, so that tests can stand in for a hub. */
export interface HubPort {
  subscribe(channel: string, subscriber: HubSubscriber): void;
  unsubscribe(channel: string, subscriber: HubSubscriber): void;
  /** Reads what came after a position. The channel need not be followed. An error may come at once, a page comes in a later turn. */
  history(channel: string, since: Position, answer: HistoryAnswer): void;
  /** Publishes text. Without an answer the hub is not asked for one. */
  submit(channel: string, text: string, options: SubmitOptions, answer: PublishAnswer | undefined): void;
}
