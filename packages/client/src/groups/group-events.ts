import type { GapReason, JsonValue, MessageEvent, Position } from '@groupcast/protocol/client';
import type { GroupcastError } from '../groupcast-error.ts';

/** The client that sent a message. */
export interface MessageSender {
  readonly clientId: string;
  /** Its user, if it has a token. */
  readonly uid?: string;
}

/** One message of a group. */
export interface Message {
  readonly groupId: string;
  /** The history of `offset`: together they are the position of the message. */
  readonly epoch: string;
  /** `undefined` for an ephemeral message, which has no position. */
  readonly offset: number | undefined;
  /** A string from a client, any JSON value from a server. */
  readonly message: JsonValue;
  /** Missing in messages from servers. */
  readonly from?: MessageSender;
  /** Milliseconds since 1970 by the clock of the hub. `undefined` from an older gateway. */
  readonly at: number | undefined;
}

/** Returns a message from its fields in an event of the gateway. */
export function messageOf(
  groupId: string,
  epoch: string,
  { offset, message, from, at }: Omit<MessageEvent, 'type' | 'group_id'>,
): Message {
  const { client_id: clientId, uid } = from ?? {};
  const user = typeof uid === 'string' && { uid };
  const sender = typeof clientId === 'string' && { from: { clientId, ...user } };
  return { groupId, epoch, offset, message: message ?? null, ...sender, at };
}

/** Result of a join, the first one or one after a reconnect. */
export interface Joined {
  /** All messages after it follow. */
  readonly position: Position;
  /** True when no message was missed. Missing after a join without a position. */
  readonly recovered?: boolean;
  /** The reason why messages may be missed. */
  readonly reason?: GapReason;
  /** Number of earlier messages after `position`. Missing unless `last` was given. */
  readonly count?: number | undefined;
}

/** Messages that may be missed for good. */
export interface Gap {
  readonly reason: GapReason;
  /** All messages after it follow. */
  readonly position: Position;
}

export interface GroupEvents {
  message: Message;
  joined: Joined;
  gap: Gap;
  /** The server has removed this client from the group. `left` comes before it. */
  removed: { readonly reason: string };
  /** The gateway rejected the join, or the state could not be loaded. */
  error: GroupcastError;
  /** No more messages follow. `error` is undefined when the application left or closed. */
  left: { readonly error: GroupcastError | undefined };
}
