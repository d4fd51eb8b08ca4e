/** A channel as it is, for one answer. */
export interface ChannelView {
  /** Offset of the newest publication. */
  readonly top: number;
  /** The offset before the oldest publication that is kept: whoever stands there, or later, can have all that came after. */
  readonly bottom: number;
  /** The frames behind an offset that is not below `bottom`: as many as fit `bytesMax`, but one at least where there is one. */
  framesAfter(offset: number, bytesMax: number): Uint8Array[];
}

/** A channel of which nothing is kept but where it stands. */
export class PositionOnly implements ChannelView {
  readonly top: number;

  constructor(top: number) {
    this.top = top;
  }

  get bottom(): number {
    return this.top;
  }

  framesAfter(): Uint8Array[] {
    return [];
  }
}
