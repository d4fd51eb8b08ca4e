import type { CommandId } from './command.ts';

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
}

export interface MessageEvent {
  readonly type: 'message';
  readonly group_id: string;
  readonly offset: number;
  readonly message: JsonValue;
  /** Missing when the message is not from a client. */
  readonly from?: { readonly client_id: string } | undefined;
}

export interface AckEvent {
  readonly type: 'ack';
  readonly id: CommandId;
  readonly group_id?: string | undefined;
  readonly epoch?: string | undefined;
  readonly offset?: number | undefined;
  readonly recovered?: boolean | undefined;
  readonly reason?: GapReason | undefined;
}

export interface ErrorEvent {
  readonly type: 'error';
  /** Missing when the error answers no command. */
  readonly id?: CommandId | undefined;
  /** Without an `id`: the group that the client is no longer a member of. */
  readonly group_id?: string | undefined;
  readonly code: string;
  readonly message: string;
}

export interface GapEvent {
  readonly type: 'gap';
  readonly group_id: string;
  readonly reason: GapReason;
  readonly epoch: string;
  readonly offset: number;
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
  | AckEvent
  | ErrorEvent
  | GapEvent
  | PingEvent
  | DisconnectEvent;
