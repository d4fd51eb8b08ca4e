/** Drops that are put up with before the arrays move their rest to the front. */
const DROPS_MIN = 64;

/**
 * One channel: where it stands, and its newest publications, whose offsets are those up to `top` without a gap. Bounds are the
 * business of History.
 */
export class Stream {
  readonly channel: string;
  /** Somebody follows the channel by its name. */
  isFollowed = false;
  /** When it was last published to, read or unfollowed, in milliseconds of `performance.now`. */
  usedMs = 0;
  /** Neighbours among the streams by their last use; undefined at the ends, and for one that is not among them. */
  older: Stream | undefined;
  newer: Stream | undefined;
  /** The channel's name, in bytes; estimated, because V8 stores text outside Latin-1 twice as wide. */
  readonly nameBytes: number;
  #top: number;
  #bytes = 0;
  // Frames and when they came, from #first on; what is before it is dropped.
  #frames: (Uint8Array | undefined)[] = [];
  #timesMs: number[] = [];
  #first = 0;

  /** `top`: offset of the newest publication that there ever was, none of which is kept. */
  constructor(channel: string, top: number) {
    this.channel = channel;
    this.nameBytes = 2 * channel.length;
    this.#top = top;
  }

  /** Offset of the newest publication. */
  get top(): number {
    return this.#top;
  }

  /** Publications that are kept. */
  get count(): number {
    return this.#frames.length - this.#first;
  }

  /** The offset before the oldest publication that is kept: whoever stands there, or later, can have all that came after. */
  get bottom(): number {
    return this.#top - this.count;
  }

  /** All frames that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** When the oldest publication that is kept came, in milliseconds; Infinity when none is. */
  get oldestMs(): number {
    return this.#timesMs[this.#first] ?? Number.POSITIVE_INFINITY;
  }

  /** Keeps the DELIVER of the next offset. */
  push(frame: Uint8Array, nowMs: number): void {
    this.#top += 1;
    this.#frames.push(frame);
    this.#timesMs.push(nowMs);
    this.#bytes += frame.length;
  }

  /** Forgets the oldest publication that is kept. */
  dropOldest(): void {
    this.#bytes -= this.#frames[this.#first]?.length ?? 0;
    this.#frames[this.#first] = undefined;
    this.#first += 1;
    if (this.#first < DROPS_MIN && this.count > 0) return;
    if (this.#first < this.count) return;
    this.#frames = this.#frames.slice(this.#first);
    this.#timesMs = this.#timesMs.slice(this.#first);
    this.#first = 0;
  }

  /** Forgets all publications, but not where the channel stands. */
  clear(): void {
    this.#bytes = 0;
    this.#frames = [];
    this.#timesMs = [];
    this.#first = 0;
  }

  /** The frames behind an offset that is not below `bottom`: as many as fit `bytesMax`, but one at least where there is one. */
  framesAfter(offset: number, bytesMax: number): Uint8Array[] {
    const frames: Uint8Array[] = [];
    let bytes = 0;
    for (let index = this.#first + offset - this.bottom; index < this.#frames.length; index++) {
      const frame = this.#frames[index];
      if (frame === undefined) break;
      bytes += frame.length;
      if (bytes > bytesMax && frames.length > 0) break;
      frames.push(frame);
    }
    return frames;
  }
}
