import type { Position } from '../position.ts';
import type { CommandId, Operation } from './command.ts';

/**
 * Reasons why missed messages are not replayed: the history is a new one, it no longer reaches back
 * far enough, or more messages were missed than the gateway replays.
 */
export type GapReason = 'epoch_changed' | 'trimmed' | 'limit';

/** The content of a message: text from a client, any JSON from a server. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** The first event of a connection. */
export interface WelcomeEvent {
  readonly type: 'welcome';
  readonly client_id: string;
  readonly session: string;
  readonly heartbeat: { readonly interval_ms: number; readonly timeout_ms: number };
  readonly limits: {
    readonly message_bytes: number;
    readonly groups: number;
    readonly messages_per_second: number;
    readonly messages_burst: number;
    /** Missing when bytes are not limited. */
    readonly bytes_per_second?: number | undefined;
    readonly bytes_burst?: number | undefined;
  };
  /** Id of the user, from the token. Missing for anonymous clients, as are the next three. */
  readonly uid?: string | undefined;
  /** Milliseconds until the token expires. Also missing for a token that does not. */
  readonly token_expires_in_ms?: number | undefined;
  /** Groups that the server joins, with the positions after which the client gets messages. */
  readonly joined?: readonly JoinedPosition[] | undefined;
  /** Position after which this client gets the messages to its user. */
  readonly user?: Position | undefined;
}

/** Position of a group in `welcome`. */
export interface JoinedPosition extends Position {
  readonly group_id: string;
}

/** The publisher of a message. */
export interface MessageFrom {
  readonly client_id: string;
  /** Id of its user, if it had a token. */
  readonly uid?: string | undefined;
}

export interface MessageEvent {
  readonly type: 'message';
  readonly group_id: string;
  /** Missing when the message is ephemeral. */
  readonly offset?: number | undefined;
  readonly message: JsonValue;
  /** Missing when the message is not from a client. */
  readonly from?: MessageFrom | undefined;
  /** Milliseconds since 1970 by the clock of the hub. Only in `groupcast.v1.at`. */
  readonly at?: number | undefined;
}

/** A message to the user of the connection, without a group. */
export interface UserMessageEvent extends Omit<MessageEvent, 'group_id'> {
  readonly user: true;
}

/** A message in the reply to `history`. */
export interface HistoryMessage {
  readonly offset: number;
  readonly message: JsonValue;
  readonly from?: MessageFrom | undefined;
  readonly at?: number | undefined;
}

/** Whether the history has all messages after a position. */
export type HistoryVerdict = 'recovered' | 'epoch_changed' | 'trimmed';

export interface AckEvent {
  readonly type: 'ack';
  readonly id: CommandId;
  readonly group_id?: string | undefined;
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
  readonly recovered?: boolean | undefined;
  readonly reason?: GapReason | undefined;
  /** Of `add_group` with `last`: number of messages up to the position that are replayed. */
  readonly count?: number | undefined;
  /** False in the reply to an ephemeral message. */
  readonly stored?: boolean | undefined;
  /** These are of `history`. */
  readonly verdict?: HistoryVerdict | undefined;
  /** Offset up to which `messages` is complete. Ask again after it while it is below `offset`. */
  readonly read_offset?: number | undefined;
  readonly messages?: readonly HistoryMessage[] | undefined;
  /** Of `refresh`: milliseconds until the token expires. */
  readonly token_expires_in_ms?: number | undefined;
}

export interface ErrorEvent {
  readonly type: 'error';
  /** Missing when the error answers no command. */
  readonly id?: CommandId | undefined;
  /** Without an `id`: the group that the client is no longer a member of. */
  readonly group_id?: string | undefined;
  /** In place of a group: the client no longer gets the messages to its user. */
  readonly user?: true | undefined;
  readonly code: string;
  readonly message: string;
  /** Of `forbidden`: what the client may not do. */
  readonly operation?: Operation | undefined;
}

export interface GapEvent {
  readonly type: 'gap';
  readonly group_id: string;
  readonly reason: GapReason;
  readonly epoch: string;
  readonly offset: number;
}

/** A gap in the messages to the user of the connection. */
export interface UserGapEvent extends Omit<GapEvent, 'group_id'> {
  readonly user: true;
}

/** The server has made the client a member of a group. */
export interface JoinedEvent {
  readonly type: 'joined';
  readonly group_id: string;
  readonly epoch: string;
  readonly offset: number;
  /** Given where the client had sent a position of the group in `resume`. */
  readonly recovered?: boolean | undefined;
  readonly reason?: GapReason | undefined;
}

/** From its position on, the client gets the messages to its user. */
export interface UserJoinedEvent extends Omit<JoinedEvent, 'group_id'> {
  readonly user: true;
}

/** The server has removed the client from a group. */
export interface RemovedEvent {
  readonly type: 'removed';
  readonly group_id: string;
  /** Text of the server, at most 123 bytes; `permission` where the token no longer allows it. */
  readonly reason: string;
}

export interface PingEvent {
  readonly type: 'ping';
}

/** The last event of a connection: the close frame follows. */
export interface DisconnectEvent {
  readonly type: 'disconnect';
  readonly code: number;
  readonly reason: string;
  readonly reconnect: boolean;
  readonly reconnect_after_ms?: number | undefined;
}

/**
 * An event from a gateway under the subprotocol `groupcast.v1`. A client ignores unknown fields and
 * types.
 */
export type ClientEvent =
  | WelcomeEvent
  | MessageEvent
  | UserMessageEvent
  | AckEvent
  | ErrorEvent
  | GapEvent
  | UserGapEvent
  | JoinedEvent
  | UserJoinedEvent
  | RemovedEvent
  | PingEvent
  | DisconnectEvent;
