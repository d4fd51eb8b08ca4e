import type { LinkEnd } from '@groupcast/link';
import type { ErrorCode } from '@groupcast/protocol';

/** Why a session ended: as its link says, the error that it was closed for, or one of the hub's own reasons. */
export type SessionEnd =
  | LinkEnd
  | ErrorCode
  /** It did not prove in time who it is. */
  | 'late'
  /** It had not shown yet who it is, and others needed its place: of its address, of all sessions, or in the TLS handshake. */
  | 'too_many_pending'
  /** It speaks PHP, which is taken from this host and from trusted addresses only. */
  | 'untrusted'
  /** All queues together were too long, and this one was the longest. */
  | 'evicted'
  /** It did not get through the TLS handshake. */
  | 'tls_refused'
  /** The hub shuts down, and it left when it was asked to. */
  | 'drained'
  /** The hub shuts down. */
  | 'hub_closed';
