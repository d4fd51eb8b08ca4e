import type { ClientEvent } from '@groupcast/protocol/schema';
import type { Group } from './group.ts';

/** What a client speaks: the origin's raw texts, or the envelopes of `groupcast.v1`. */
export type ClientMode = 'plain' | 'v1';

/** A connection as groups see it: no socket, only somebody who is in groups and can be told things. */
export interface Member {
  /** The client id. */
  readonly id: string;
  readonly mode: ClientMode;
  /** The groups that it is in. Only `Groups` changes this. */
  readonly memberships: Group[];
  /** How many of its joins wait for the hub. Only `WaitingJoins` changes this. */
  waitingJoins: number;
  /** Takes whole text frames. May end the membership, when the member is too slow. Must not throw. */
  send(frames: Uint8Array): void;
  /** Sends one event. Must not throw. */
  tell(event: ClientEvent): void;
}
