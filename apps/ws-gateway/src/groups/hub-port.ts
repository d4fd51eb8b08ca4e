import type { HistoryAnswer, HistoryRead, LossReason, PublishAnswer } from '@groupcast/hub-client';
import type { native, Position, ProtocolError } from '@groupcast/protocol';

export type {
  HistoryAnswer,
  HistoryPage,
  HistoryRead,
  LossReason,
  PublishAnswer,
} from '@groupcast/hub-client';

/** Who gets a channel's publications. */
export interface HubSubscriber {
  /** Every publication of a channel once, in the order of its offsets, those that came while the link was broken included. */
  deliver(publication: native.Publication): void;
  /** Once, when the subscription stands: what is delivered from here on comes after `position`. */
  subscribed(subject: native.Subject, position: Position): void;
  /** Some publications cannot be had: what is delivered from here on comes after `position`. */
  lost(subject: native.Subject, position: Position, reason: LossReason): void;
  /** The hub does not let this worker subscribe to the channel: nothing of it comes. */
  refused(subject: native.Subject, error: ProtocolError): void;
}

/** What goes with a payload. */
export interface PublishOptions {
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
  /**
   * Reads what came after a position. The channel need not be followed. An error may come at once, a page comes in a later turn of the
   * event loop. Owners whose reads wait are served in turn, each with one read.
   */
  history(channel: string, since: Position, answer: HistoryAnswer, owner: object): HistoryRead;
  /** Publishes text. Without an answer the hub is not asked for one. */
  publishWithAnswer(
    channel: string,
    text: string,
    options: PublishOptions,
    answer: PublishAnswer | undefined,
  ): void;
}
