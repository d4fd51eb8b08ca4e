// What goes over the WebSocket, as PROTOCOL.md has it ("The clients' wire"). Types only: the gateway is trusted to speak its protocol, and what
// would do harm if it did not is checked where it is used.

import { EPOCH_BYTES_MAX } from '../limits.ts';
import { isName } from '../sending/text.ts';

/** A place in a group's history. Offsets compare only within one epoch, and rise by one with each message. */
export interface Position {
  readonly epoch: string;
  readonly offset: number;
}

/** Why what was missed cannot be given: the history is another one, or too short, or more was missed than is given at once. */
export type GapReason = 'epoch_changed' | 'trimmed' | 'limit';

/** What a message is: text when a client sent it, any JSON when a server did. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export const SUBPROTOCOL = 'groupcast.v1';
export const SESSION_PREFIX = 'groupcast.session.';

export interface WelcomeEvent {
  readonly type: 'welcome';
  readonly client_id: string;
  readonly session?: string;
  readonly heartbeat: { readonly interval_ms: number; readonly timeout_ms: number };
  readonly limits: {
    readonly message_bytes: number;
    readonly groups: number;
    readonly messages_per_second: number;
    readonly messages_burst: number;
    /** 0, or none: there is no limit. */
    readonly bytes_per_second?: number | undefined;
    readonly bytes_burst?: number | undefined;
  };
}

export interface MessageEvent {
  readonly type: 'message';
  readonly group_id: string;
  readonly offset: number;
  readonly message: JsonValue;
  readonly from?: { readonly client_id: string };
}

export interface AckEvent {
  readonly type: 'ack';
  readonly id: number;
  readonly epoch?: string;
  readonly offset?: number;
  readonly recovered?: boolean;
  readonly reason?: GapReason;
}

export interface ErrorEvent {
  readonly type: 'error';
  readonly id?: number;
  /** Without an id: we are not in this group, or not any more. */
  readonly group_id?: string;
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

interface DisconnectEvent {
  readonly type: 'disconnect';
  readonly code: number;
  readonly reason: string;
  readonly reconnect: boolean;
  readonly reconnect_after_ms?: number;
}

export type ServerEvent =
  | WelcomeEvent
  | MessageEvent
  | AckEvent
  | ErrorEvent
  | GapEvent
  | DisconnectEvent
  | { readonly type: 'ping' };

/** A command, without the `id` that it gets when it is sent. */
export type Command =
  | { readonly cmd: 'add_group'; readonly group_id: string; readonly since?: Position }
  | { readonly cmd: 'leave_group'; readonly group_id: string }
  | { readonly cmd: 'group_info'; readonly group_id: string }
  | {
      readonly cmd: 'send_to_group';
      readonly group_id: string;
      readonly message: string;
      readonly message_id: string;
      readonly exclude_self: boolean;
    };

/** Reads a message of the gateway. One of a type that is not known here is to be ignored; what is none at all becomes an `error`. */
export function parseEvent(data: unknown): ServerEvent {
  try {
    const event = JSON.parse(data as string) as ServerEvent;
    if (typeof event.type === 'string') return event;
  } catch {
    // No JSON, a binary message, or null.
  }
  return { type: 'error', code: 'bad_event', message: 'The gateway sent an invalid event.' };
}

/** Returns the position in a value, `undefined` when it has none that could be resumed from. */
export function positionOf(value: Partial<Position>): Position | undefined {
  const { epoch, offset } = value;
  return isName(epoch, EPOCH_BYTES_MAX) && Number.isSafeInteger(offset) && (offset as number) >= 0
    ? { epoch, offset: offset as number }
    : undefined;
}
