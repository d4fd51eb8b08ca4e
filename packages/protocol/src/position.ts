/** Position in a channel's history. Offsets can be compared within one epoch only. */
export interface Position {
  /** Identifies the history, 1 to 255 bytes. */
  readonly epoch: string;
  /** Offset of the newest publication, 0 before the first. */
  readonly offset: number;
}
