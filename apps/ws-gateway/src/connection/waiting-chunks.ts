/** Counts what is held for several connections, so that what they share counts once. */
export interface SharedBytes {
  hold(chunk: Uint8Array): void;
  release(chunk: Uint8Array): void;
}

/** Stands where a chunk was, so that its memory is free. */
const RELEASED = new Uint8Array(0);

/**
 * The chunks that wait for one connection, oldest first. A chunk is what was given to the socket in one
 * write: one frame, or the frames of one turn.
 *
 * Two things about a chunk become known at different times: that the network has taken it, and, often later,
 * that its memory is free, because the socket writes many chunks at once and releases them together.
 */
export class WaitingChunks {
  readonly #shared: SharedBytes;
  /** Longer chunks never count as waiting behind another, one at a time. */
  readonly #longBytes: number;
  #chunks: Uint8Array[] = [];
  /** Index of the oldest chunk whose memory is held. */
  #first = 0;
  /** Index of the chunk that is being written. */
  #current = 0;
  #heldBytes = 0;
  // Places in the stream of all that was ever written to the socket: the end of the current chunk, and of the last.
  #currentEnd = 0;
  #end = 0;
  /** Index of a long chunk behind the current one, if there is one. */
  #long = -1;

  constructor(shared: SharedBytes, longBytes: number) {
    this.#shared = shared;
    this.#longBytes = longBytes;
  }

  /** Number of chunks whose memory is held. */
  get count(): number {
    return this.#chunks.length - this.#first;
  }

  /** Bytes that wait behind the chunk that is being written; one long chunk among them does not count. */
  get behindBytes(): number {
    return this.#end - this.#currentEnd - (this.#chunks[this.#long]?.length ?? 0);
  }

  /** Adds a chunk that was written, in whole or in part, behind the others. */
  add(chunk: Uint8Array): void {
    this.#shared.hold(chunk);
    this.#heldBytes += chunk.length;
    this.#end += chunk.length;
    const index = this.#chunks.push(chunk) - 1;
    if (index === this.#current) this.#currentEnd = this.#end;
    else if (this.#long < 0 && chunk.length > this.#longBytes) this.#long = index;
  }

  /** Corrects where the only chunk ends: the socket writes frames of its own, too. */
  moveEnd(end: number): void {
    this.#end = end;
    this.#currentEnd = end;
  }

  /** Looks how far the network is: `takenBytes` of all that was written it has, and `queuedBytes` are held. */
  advance(takenBytes: number, queuedBytes: number): void {
    if (queuedBytes <= 0) {
      this.clear();
      return;
    }
    const last = this.#chunks.length - 1;
    while (this.#current < last && takenBytes >= this.#currentEnd) {
      this.#current += 1;
      this.#currentEnd += this.#chunks[this.#current]?.length ?? 0;
    }
    if (this.#long <= this.#current) this.#long = -1;
    while (this.#first < this.#current && this.#heldBytes - this.#firstBytes >= queuedBytes) this.#release();
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

  /** Gives back the places of what was released once they are half of all: each chunk is moved about once. */
  #compact(): void {
    const { length } = this.#chunks;
    if (this.#first * 2 < length) return;
    this.#chunks = this.#chunks.slice(this.#first);
    this.#current -= this.#first;
    if (this.#long >= 0) this.#long -= this.#first;
    this.#first = 0;
  }
}
