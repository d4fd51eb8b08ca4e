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

/**
 * Returns whether the peer closed its link. The end of a process arrives as FIN or as RST: that
 * depends only on what it had left unread.
 */
export function isEndByPeer(end: LinkEnd, error: Error | undefined): boolean {
  if (end !== 'socket_error') return end === 'peer_closed';
  const code = error !== undefined && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
