/** Counters of all peers of a hub, since its start. */
export interface PeerCounts {
  /** Ephemeral publications dropped for a peer that had too much in its buffer. */
  ephemeralDropped: number;
  /** Frames of later versions, which peers announced that they may send. */
  skippedFrames: number;
}
