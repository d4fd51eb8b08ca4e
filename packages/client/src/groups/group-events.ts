import type { GapReason, JsonValue, Position } from '@groupcast/protocol/client';
import type { GroupcastError } from '../groupcast-error.ts';

/** One message of a group. */
export interface Message {
  readonly groupId: string;
  /** The history of `offset`: together they are the position of the message. */
  readonly epoch: string;
  readonly offset: number;
  /** A string from a client, any JSON value from a server. */
  readonly message: JsonValue;
  /** Missing in messages from servers. */
  readonly from?: { readonly clientId: string };
}

/** Result of a join, the first one or one after a reconnect. */
export interface Joined {
  /** All messages after it follow. */
  readonly position: Position;
  /** True when no message was missed. Missing after a join without a position. */
  readonly recovered?: boolean;
  /** The reason why messages may be missed. */
  readonly reason?: GapReason;
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
  /** The gateway rejected the join, or the state could not be loaded. */
  error: GroupcastError;
  /** No more messages follow. `error` is undefined when the application left or closed. */
  left: { readonly error: GroupcastError | undefined };
}
