import type { ClientEvent } from '@groupcast/protocol/schema';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import type { RateLimit } from '../connection/rate-limit.ts';
import type { Group } from './group.ts';
import type { MemberWait } from './member-wait.ts';
import type { Questions } from './questions.ts';

/** A connection as groups see it: no socket, only somebody who is in groups and can be told things. */
export interface Member {
  /** The client id. */
  readonly id: string;
  readonly protocol: ClientProtocol;
  /** Whether it may be in groups. What is written to one connection may end another, so that any write can change this. */
  readonly isOpen: boolean;
  /** Bytes that wait for the client to read. */
  readonly bufferedBytes: number;
  /** The groups that it is in, or on the way into. Only `Groups` changes this. */
  readonly memberships: Group[];
  /** Its commands that wait for the hub; most of the time there are none. Only `MemberWait` changes this. */
  waits: Set<MemberWait> | undefined;
  /** What it asks of where groups stand, while anything is not answered. Only `Questions` changes this. */
  questions: Questions | undefined;
  /** What its recoveries may read, once it had one. Only `RecoveryBudget` changes this. */
  recoveryBytes: RateLimit | undefined;
  /** Takes whole text frames. May end the membership, when the member is too slow. Must not throw. */
  deliver(frames: Uint8Array): void;
  /**
   * Sends one event. Returns whether the member's protocol has it. May end the membership, too. Must
   * not throw.
   */
  sendEvent(event: ClientEvent): boolean;
}
