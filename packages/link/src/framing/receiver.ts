/** Reason for the end of a link. */
export type LinkEnd =
  /** This side closed it. */
  | 'closed'
  /** The peer closed it. */
  | 'peer_closed'
  /** The network failed; the error says how. */
  | 'socket_error'
  /** The peer sent invalid data; the error says what. */
  | 'protocol_error'
  /** The peer reads too slowly, and its buffer is full. */
  | 'slow'
  /** The peer sent nothing for too long. */
  | 'silent'
  /** A frame was not complete in time. */
  | 'stalled'
  /** The receiver threw; the error is the one that it threw. */
  | 'internal_error';

/**
 * Receiver of the frames of a link. Frames are not objects, because there are very many of them.
 */
export interface LinkReceiver {
  /**
   * Receives one frame, header included, from `start` to `end`; never a heartbeat. The receiver may
   * change these bytes, and keep slices of them. Returns the work that this caused, in bytes read
   * or delivered: above the limit for one event-loop turn, the rest waits for the next turn.
   */
  receiveSpan(bytes: Uint8Array, start: number, end: number): number;
  /** Called after the frames that arrived together: batches end here. Returns work, as above. */
  receivedAll?(): number;
  /** Called when nothing more is received or sent, although the socket may still be closing. */
  ending?(end: LinkEnd, error: Error | undefined): void;
  /** Called once and last, when the socket is closed. */
  closed(end: LinkEnd, error: Error | undefined): void;
}
