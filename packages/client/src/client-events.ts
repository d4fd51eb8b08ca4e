import type { Operation } from '@groupcast/protocol/client';
import type { ClientState, Disconnected } from './connection/connector.ts';
import type { GroupcastError } from './groupcast-error.ts';
import type { Joined, Message } from './groups/group-events.ts';

/** A group that the server has joined for this client. */
export interface JoinedByServer extends Joined {
  readonly groupId: string;
}

/** A group from which the server has removed this client. */
export interface RemovedByServer {
  readonly groupId: string;
  /** Text of the server. */
  readonly reason: string;
}

/** A command that the gateway rejected, because this client may not do it. */
export interface Forbidden {
  readonly groupId: string;
  readonly operation: Operation | undefined;
}

export interface ClientEvents {
  state: {
    readonly state: ClientState;
    /** The end of the last connection. */
    readonly error: GroupcastError | undefined;
    /** Milliseconds until the next attempt, in the state `waiting`. */
    readonly waitMs: number | undefined;
  };
  /** The server has joined a group for this client, or joined it again after a reconnect. */
  joined: JoinedByServer;
  /** The server has removed this client from a group, or has not joined it again. */
  removed: RemovedByServer;
  /**
   * A message to the user of this client, without a join. The group `$user` has these messages too,
   * and emits a `gap` when some are lost.
   */
  userMessage: Message;
  /** The client may not do what it asked for. The rejected call has the same error. */
  forbidden: Forbidden;
  /** A connection has ended, or could not be opened. The event `state` comes before. */
  disconnected: Disconnected;
  /**
   * An error of a group, which the group emits too, or an invalid event of the gateway.
   * `unreachable` when no attempt has ever succeeded: from the fifth attempt on, with each attempt.
   */
  error: GroupcastError;
}
