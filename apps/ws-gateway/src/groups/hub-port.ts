import type {
  HistoryAnswer,
  HistoryFrom,
  HistoryRead,
  HubClient,
  HubClientState,
  KeyedMapEvents,
  LossReason,
  PublishAnswer,
  Subscription,
} from '@groupcast/hub-client';
import type { native, Position, ProtocolError } from '@groupcast/protocol';

export type {
  HistoryAnswer,
  HistoryFrom,
  HistoryPage,
  HistoryRead,
  LossReason,
  PublishAnswer,
  Subscription,
} from '@groupcast/hub-client';

/** Receiver of the publications of channels. */
export interface HubSubscriber {
  /**
   * Receives each publication once, in the order of the offsets. Includes those from the time
   * without a connection. Ephemeral ones follow the publication whose offset they carry, or are
   * lost.
   */
  deliver(publication: native.Publication): void;
  /** Called once, when the hub has subscribed: publications after `position` follow. */
  subscribed(subject: native.Subject, position: Position): void;
  /** Called when publications are lost for good: those after `position` follow. */
  lost(subject: native.Subject, position: Position, reason: LossReason): void;
  /** Called when the hub rejects the subscription: no publications follow. */
  rejected(subject: native.Subject, error: ProtocolError): void;
}

/** Options of a publish. */
export interface PublishOptions {
  /** Client id of the publisher. */
  readonly sender: string;
  readonly messageId?: string;
  /** Whether the connection with the client id `sender` does not get the message. Default false. */
  readonly excludeSender?: boolean;
  /** Whether the publication takes no offset and is in no history. Not with `messageId`. */
  readonly ephemeral?: boolean;
  /** JSON object beside the text, as text. */
  readonly meta?: string | undefined;
}

/** The part of `KeyedMap` that a gateway uses. */
export interface HubKeyedMap {
  readonly isReady: boolean;
  on<Name extends keyof KeyedMapEvents>(
    name: Name,
    listener: (...args: KeyedMapEvents[Name]) => void,
  ): unknown;
  close(): void;
}

/** The part of `HubClient` that a gateway uses. Tests have another implementation. */
export interface HubPort extends Pick<HubClient, 'ban' | 'unban' | 'kick' | 'readValues'> {
  /** Calls the listener at each change of the state of the link. */
  on(name: 'state', listener: (state: HubClientState) => void): unknown;
  off(name: 'state', listener: (state: HubClientState) => void): unknown;
  /** Opens a live map of the values of a keyed channel. It keeps them over a lost link. */
  keyed(channel: string): HubKeyedMap;
  /** Subscribes to a channel. The handle has the position of the last publication. */
  subscribe(channel: string, subscriber: HubSubscriber): Subscription;
  unsubscribe(channel: string, subscriber: HubSubscriber): void;
  /**
   * Reads publications after a position, or the newest ones. Does not need a subscription. Errors
   * may be immediate, pages arrive in a later event-loop turn. Owners with pending reads take
   * turns, one read each.
   */
  history(channel: string, from: HistoryFrom, answer: HistoryAnswer, owner: object): HistoryRead;
  /** Publishes text. The hub sends no answer if `answer` is undefined. */
  publishWithAnswer(
    channel: string,
    text: string,
    options: PublishOptions,
    answer: PublishAnswer | undefined,
  ): void;
}
