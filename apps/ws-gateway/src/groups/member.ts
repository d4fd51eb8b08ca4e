import type { ClientEvent, CommandError } from '@groupcast/protocol/schema';
import type { Identity } from '../auth/identity.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import type { RateLimit } from '../connection/rate-limit.ts';

/** A connection as groups see it, without its socket. */
export interface Member {
  /** Client id. */
  readonly id: string;
  readonly protocol: ClientProtocol;
  /** Undefined without a token. A refresh replaces it. */
  readonly identity: Identity | undefined;
  /** Whether it may be in groups. A write to any connection may close this one. */
  readonly isOpen: boolean;
  /** Whether no command of it was executed before the current one. */
  readonly isNew: boolean;
  /** Bytes buffered for the client. */
  readonly bufferedBytes: number;
  /** Channels of its groups, including those with a pending join. Only `Groups` changes this. */
  readonly memberships: string[];
  /** Number of its commands that wait for the end of a join. Only `Join` changes this. */
  pendingCommands: number;
  /** Rate limit of its recoveries, once it had one. Only `RecoveryBudget` changes this. */
  recoveryBytes: RateLimit | undefined;
  /** Delivers encoded messages. Must not throw. May end the membership of a slow member. */
  deliver(frames: Uint8Array): void;
  /**
   * Sends an event. Returns whether the member's protocol has this event. Must not throw. May end
   * the membership of a slow member.
   */
  sendEvent(event: ClientEvent): boolean;
  /** Replaces the identity by that of a new token of the same user. */
  renew(identity: Identity): void;
  /** Replies to a command with an error, and counts the rejection. May close the connection. */
  reject(error: CommandError): void;
}
