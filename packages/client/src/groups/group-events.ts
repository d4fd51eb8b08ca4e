import type { GapReason, JsonValue, Position } from '@groupcast/protocol/client';
import type { GroupcastError } from '../groupcast-error.ts';

/** One message of a group. */
export interface Message {
  readonly groupId: string;
  /** With `offset`, its position in the group. */
  readonly epoch: string;
  readonly offset: number;
  /** A string when a client sent it; a server may send any JSON. */
  readonly message: JsonValue;
  /** Missing when no client sent it. */
  readonly from?: { readonly clientId: string };
}

/** The group is joined, at first or again after the connection was lost. */
export interface Joined {
  /** Everything that comes after it follows. */
  readonly position: Position;
  /** Missing when there was no position to come back to; else whether nothing was missed. */
  readonly recovered?: boolean;
  /** Why something may have been missed. */
  readonly reason?: GapReason;
}

/** Messages may have been missed, and will not come. */
export interface Gap {
  readonly reason: GapReason;
  /** Where the group stands: everything that comes after it follows. */
  readonly position: Position;
}

export interface GroupEvents {
  message: Message;
  joined: Joined;
  gap: Gap;
  /** The group may not be joined, or its state could not be loaded. */
  error: GroupcastError;
  /** Nothing more comes: because of an error, or because `leave` was called. */
  left: { readonly error: GroupcastError | undefined };
}
