/** Counts the chunks of several connections, so that shared ones count once. */
export interface SharedBytes {
  hold(chunk: Uint8Array): void;
  release(chunk: Uint8Array): void;
}

/** Takes the place of a released chunk, so that its memory is free. */
const RELEASED = new Uint8Array(0);

/**
 * Chunks that are buffered for one connection, oldest first. A chunk is one write to the socket:
 * one frame, or the frames of one turn.
 *
 * A chunk is sent first, and its memory is free later: the socket writes many chunks at once, and
 * releases them together.
 */
export class BufferedChunks {
  readonly #shared: SharedBytes;
  /** Length above which a chunk behind the current one does not count. One at a time. */
  readonly #longBytes: number;
  #chunks: Uint8Array[] = [];
  /** Index of the oldest chunk in memory. */
  #first = 0;
  /** Index of the chunk that is being written. */
  #current = 0;
  #heldBytes = 0;
  // Ends of the current and of the last chunk, counted in all bytes ever written to the socket.
  #currentEnd = 0;
  #end = 0;
  /** Index of a long chunk behind the current one, or -1. */
  #long = -1;

  constructor(shared: SharedBytes, longBytes: number) {
    this.#shared = shared;
    this.#longBytes = longBytes;
  }

  /** Number of chunks in memory. */
  get count(): number {
    return this.#chunks.length - this.#first;
  }

  /** Bytes behind the chunk that is being written, without one long chunk. */
  get behindBytes(): number {
    return this.#end - this.#currentEnd - (this.#chunks[this.#long]?.length ?? 0);
  }

  /** Adds a chunk that was written, wholly or in part. */
  add(chunk: Uint8Array): void {
    this.#shared.hold(chunk);
    this.#heldBytes += chunk.length;
    this.#end += chunk.length;
    const index = this.#chunks.push(chunk) - 1;
    if (index === this.#current) this.#currentEnd = this.#end;
    else if (this.#long < 0 && chunk.length > this.#longBytes) this.#long = index;
  }

  /** Corrects the end of the only chunk: the socket also writes frames of its own. */
  moveEnd(end: number): void {
    this.#end = end;
    this.#currentEnd = end;
  }

  /**
   * Releases sent chunks. `sentBytes` are sent of all that was written, `bufferedBytes` in memory.
   */
  advance(sentBytes: number, bufferedBytes: number): void {
    if (bufferedBytes <= 0) {
      this.clear();
      return;
    }
    const last = this.#chunks.length - 1;
    while (this.#current < last && sentBytes >= this.#currentEnd) {
      this.#current += 1;
      this.#currentEnd += this.#chunks[this.#current]?.length ?? 0;
    }
    if (this.#long <= this.#current) this.#long = -1;
    while (this.#first < this.#current && this.#heldBytes - this.#firstBytes >= bufferedBytes)
      this.#release();
    this.#compact();
  }

  /** Releases all. */
  clear(): void {
    while (this.#first < this.#chunks.length) this.#release();
    this.#chunks = [];
    this.#first = 0;
    this.#current = 0;
    this.#long = -1;
  }

  get #firstBytes(): number {
    return this.#chunks[this.#first]?.length ?? 0;
  }

  #release(): void {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined) return;
    this.#chunks[this.#first] = RELEASED;
    this.#first += 1;
    this.#heldBytes -= chunk.length;
    this.#shared.release(chunk);
  }

  /** Removes released chunks once they are half of all, so that each chunk is moved about once. */
  #compact(): void {
    const { length } = this.#chunks;
    if (this.#first * 2 < length) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#current -= this.#first;
    if (this.#long >= 0) this.#long -= this.#first;
    this.#first = 0;
  }
}
