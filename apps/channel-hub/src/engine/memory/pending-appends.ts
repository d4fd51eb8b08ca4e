import type { ChannelHistory } from './channel-history.ts';

/**
 * Limits of pending entries and bytes: a millisecond's work, and a small part of a hub's memory.
 */
const ENTRIES_MAX = 8_192;
const HELD_BYTES_MAX = 1024 * 1024;

/** Instead of an entry: there is no further one. */
const NONE = -1;

/** Receives pending publications, channel by channel. */
export interface AppendTarget {
  /**
   * Appends the publications of one entry: `count` DELIVER frames between `start` and `end`,
   * received at `nowMs`.
   */
  append(
    history: ChannelHistory,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    nowMs: number,
  ): void;
  /** Ends the channel's appends, the newest of which was received at `nowMs`. */
  appended(history: ChannelHistory, nowMs: number): void;
}

/**
 * Publications with offsets that are still where they were read. They are appended channel by
 * channel: the memory of a channel, which is cold with many channels, is touched once for many
 * publications.
 */
export class PendingAppends {
  // One slot per entry, and the first entries of the channels.
  readonly #channels: (ChannelHistory | undefined)[] = new Array<undefined>(ENTRIES_MAX).fill(undefined);
  readonly #bytes: (Uint8Array | undefined)[] = new Array<undefined>(ENTRIES_MAX).fill(undefined);
  readonly #starts = new Int32Array(ENTRIES_MAX);
  readonly #ends = new Int32Array(ENTRIES_MAX);
  readonly #counts = new Int32Array(ENTRIES_MAX);
  readonly #timesMs = new Float64Array(ENTRIES_MAX);
  /** The next entry of the same channel. */
  readonly #next = new Int32Array(ENTRIES_MAX);
  readonly #firsts: number[] = [];
  #size = 0;
  #heldBytes = 0;
  #held: ArrayBufferLike | undefined;

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Whether the entries must be flushed before the next `add`. */
  get isFull(): boolean {
    return this.#size === ENTRIES_MAX || this.#heldBytes >= HELD_BYTES_MAX;
  }

  /** Must not be called when it is full. */
  add(
    history: ChannelHistory,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    nowMs: number,
  ): void {
    const last = history.lastPending;
    if (last >= 0 && this.#bytes[last] === bytes && this.#ends[last] === start) {
      this.#ends[last] = end;
      this.#counts[last] = (this.#counts[last] ?? 0) + count;
      return;
    }
    const entry = this.#size;
    this.#size += 1;
    this.#channels[entry] = history;
    this.#bytes[entry] = bytes;
    this.#starts[entry] = start;
    this.#ends[entry] = end;
    this.#counts[entry] = count;
    this.#timesMs[entry] = nowMs;
    this.#next[entry] = NONE;
    if (last >= 0) this.#next[last] = entry;
    else this.#firsts.push(entry);
    history.lastPending = entry;
    if (bytes.buffer === this.#held) return;
    // A short publication may keep alive the whole chunk that it was read with.
    this.#held = bytes.buffer;
    this.#heldBytes += bytes.buffer.byteLength;
  }

  /** Appends all entries, each channel's in order, and becomes empty. */
  flushTo(target: AppendTarget): void {
    for (const first of this.#firsts) this.#flushChannel(first, target);
    this.#channels.fill(undefined, 0, this.#size);
    this.#bytes.fill(undefined, 0, this.#size);
    this.#firsts.length = 0;
    this.#size = 0;
    this.#heldBytes = 0;
    this.#held = undefined;
  }

  #flushChannel(first: number, target: AppendTarget): void {
    const history = this.#channels[first];
    if (history === undefined) return;
    for (let entry = first; entry !== NONE; entry = this.#next[entry] ?? NONE) {
      const bytes = this.#bytes[entry];
      const start = this.#starts[entry] ?? 0;
      const end = this.#ends[entry] ?? 0;
      if (bytes === undefined) break;
      target.append(history, bytes, start, end, this.#counts[entry] ?? 0, this.#timesMs[entry] ?? 0);
    }
    target.appended(history, this.#timesMs[history.lastPending] ?? 0);
    history.lastPending = NONE;
  }
}
