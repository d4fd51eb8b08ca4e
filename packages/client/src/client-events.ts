import type { ClientState } from './connection/connector.ts';
import type { GroupcastError } from './groupcast-error.ts';
import type { Joined } from './groups/group-events.ts';

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
   * An error of a group, which the group emits too, or an invalid event of the gateway.
   * `unreachable` when no attempt has ever succeeded: from the fifth attempt on, with each attempt.
   */
  error: GroupcastError;
}
