import type { LinkEnd } from '@groupcast/link';
import type { ErrorCode } from '@groupcast/protocol';

/**
 * Reason for the end of a peer: its link's reason, the error that closed it, or one of the hub's.
 */
export type PeerEnd =
  | LinkEnd
  | ErrorCode
  /** The peer did not authenticate in time. */
  | 'late'
  /**
   * The peer had not authenticated, and another one needed its place: within its address, within
   * all peers, or in the TLS handshake.
   */
  | 'too_many_pending'
  /** The peer speaks PHP from an address that is not trusted. */
  | 'untrusted'
  /** The buffers of all peers exceeded their limit, and this one was the longest. */
  | 'evicted'
  /** The TLS handshake failed. */
  | 'tls_rejected'
  /** The hub drains, and the peer left when it was asked to. */
  | 'drained'
  /** The hub closed. */
  | 'hub_closed';
