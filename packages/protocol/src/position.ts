/** A place in a channel's history. Offsets compare only within one epoch. */
export interface Position {
  /** Which incarnation of the history, 1 to 255 bytes. */
  readonly epoch: string;
  /** Of the newest publication up to here, 0 before the first. */
  readonly offset: number;
}
