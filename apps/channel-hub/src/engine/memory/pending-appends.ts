import type { ChannelHistory } from './channel-history.ts';

/** What may wait here: a millisecond's work, and a part of what a hub takes in memory anyway. */
const ENTRIES_MAX = 8_192;
const HELD_BYTES_MAX = 1024 * 1024;

/** In place of an entry: there is none. */
const NONE = -1;

/** Who takes what has arrived, stream by stream. */
export interface AppendTarget {
  /** The publications of one entry: `count` DELIVERs of the stream, from `start` to `end`, which came at `nowMs`. */
  append(stream: ChannelHistory, bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void;
  /** There is no more for this stream; the newest came at `nowMs`. */
  appended(stream: ChannelHistory, nowMs: number): void;
}

/**
 * Publications that have their offsets and are still where they were read. They are taken stream by stream, so that what belongs to
 * a stream, which is cold where there are many, is touched once for many publications.
 */
export class PendingAppends {
  // One place for each entry, and the places of those that come first in their streams.
  readonly #streams: (ChannelHistory | undefined)[] = new Array<undefined>(ENTRIES_MAX).fill(undefined);
  readonly #bytes: (Uint8Array | undefined)[] = new Array<undefined>(ENTRIES_MAX).fill(undefined);
  readonly #starts = new Int32Array(ENTRIES_MAX);
  readonly #ends = new Int32Array(ENTRIES_MAX);
  readonly #counts = new Int32Array(ENTRIES_MAX);
  readonly #timesMs = new Float64Array(ENTRIES_MAX);
  /** The next entry of the same stream. */
  readonly #next = new Int32Array(ENTRIES_MAX);
  readonly #firsts: number[] = [];
  #size = 0;
  #heldBytes = 0;
  #held: ArrayBufferLike | undefined;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** No more should be added before all are taken. */
  get isFull(): boolean {
    return this.#size === ENTRIES_MAX || this.#heldBytes >= HELD_BYTES_MAX;
  }

  /** Only when it is not full. */
  add(stream: ChannelHistory, bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void {
    const last = stream.lastPending;
    if (last >= 0 && this.#bytes[last] === bytes && this.#ends[last] === start) {
      this.#ends[last] = end;
      this.#counts[last] = (this.#counts[last] ?? 0) + count;
      return;
    }
    const entry = this.#size;
    this.#size += 1;
    this.#streams[entry] = stream;
    this.#bytes[entry] = bytes;
    this.#starts[entry] = start;
    this.#ends[entry] = end;
    this.#counts[entry] = count;
    this.#timesMs[entry] = nowMs;
    this.#next[entry] = NONE;
    if (last >= 0) this.#next[last] = entry;
    else this.#firsts.push(entry);
    stream.lastPending = entry;
    if (bytes.buffer === this.#held) return;
    // A short publication may keep alive all that was read with it.
    this.#held = bytes.buffer;
    this.#heldBytes += bytes.buffer.byteLength;
  }

  /** Hands on everything, each stream's in order; it is empty then. */
  flushTo(taker: AppendTarget): void {
    for (const first of this.#firsts) this.#takeStream(first, taker);
    this.#streams.fill(undefined, 0, this.#size);
    this.#bytes.fill(undefined, 0, this.#size);
    this.#firsts.length = 0;
    this.#size = 0;
    this.#heldBytes = 0;
    this.#held = undefined;
  }

  #takeStream(first: number, taker: AppendTarget): void {
    const stream = this.#streams[first];
    if (stream === undefined) return;
    for (let entry = first; entry !== NONE; entry = this.#next[entry] ?? NONE) {
      const bytes = this.#bytes[entry];
      const start = this.#starts[entry] ?? 0;
      const end = this.#ends[entry] ?? 0;
      if (bytes === undefined) break;
      taker.append(stream, bytes, start, end, this.#counts[entry] ?? 0, this.#timesMs[entry] ?? 0);
    }
    taker.appended(stream, this.#timesMs[stream.lastPending] ?? 0);
    stream.lastPending = NONE;
  }
}
