import type { native, Position, ProtocolError } from '@groupcast/protocol';

/** Who gets a channel's publications. */
export interface HubSubscriber {
  /** Every publication of a channel, in the order of its offsets. */
  deliver(publication: native.Publication): void;
  /** After every subscription and every re-subscription, before any `deliver` that follows it. */
  subscribed(subject: native.Subject, position: Position): void;
}

/** How one publish ends: exactly one of the two is called, once. */
export interface PublishAnswer {
  published(position: Position): void;
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
  /** Publishes text. Without an answer the hub is not asked for one. */
  submit(channel: string, text: string, options: SubmitOptions, answer: PublishAnswer | undefined): void;
}
