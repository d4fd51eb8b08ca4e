import { frameLength } from '@groupcast/protocol';

/** What a block costs beside its bytes: measured, history-heap.test.ts holds it to that. */
export const BLOCK_BYTES = 512;

/** Frames that were read from blocks, and how many bytes they are. */
export interface FramePage {
  readonly frames: Uint8Array[];
  bytes: number;
}

/** DELIVERs of one channel that lie side by side in one buffer, oldest first. They are copies: nothing else is kept alive by them. */
export class Block {
  readonly #buffer: Uint8Array;
  #sinceMs: number;
  #untilMs: number;
  /** Publications that were put in, and how many of the oldest of them are given up. */
  #added = 0;
  #dropped = 0;
  // Where the oldest one that is kept begins, and where the newest ends. The first is found by passing over what was dropped, when somebody asks:
  // that reads memory which was not touched for long. #passed of them it has passed.
  #start = 0;
  #end = 0;
  #passed = 0;

  constructor(capacity: number, nowMs: number) {
    // A buffer from Node's pool would keep its pool.
    this.#buffer = Buffer.allocUnsafeSlow(capacity);
    this.#sinceMs = nowMs;
    this.#untilMs = nowMs;
  }

  /** No publication in it came earlier, in milliseconds of `performance.now`. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** The newest one came then. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** All that it holds in memory, in bytes. */
  get heldBytes(): number {
    return this.#buffer.length + BLOCK_BYTES;
  }

  get capacity(): number {
    return this.#buffer.length;
  }

  get room(): number {
    return this.#buffer.length - this.#end;
  }

  /** Publications that are kept. */
  get count(): number {
    return this.#added - this.#dropped;
  }

  /** The frames that are kept, in bytes, and perhaps some that were given up since `settle`. */
  get frameBytes(): number {
    return this.#end - this.#start;
  }

  /** Copies `count` frames that lie from `start` to `end`; there must be room. */
  add(bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void {
    // Not `subarray`, which takes several times as long for a Buffer.
    this.#buffer.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start), this.#end);
    this.#end += end - start;
    this.#added += count;
    this.#untilMs = nowMs;
  }

  /** Gives up so many of the oldest. */
  drop(count: number): void {
    this.#dropped += count;
  }

  /** As new: its room is used again. */
  clear(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#untilMs = nowMs;
    this.#added = 0;
    this.#dropped = 0;
    this.#start = 0;
    this.#end = 0;
    this.#passed = 0;
  }

  /** From now on `frameBytes` is exact. Answers by how much it was too high. */
  settle(): number {
    const before = this.#start;
    for (; this.#passed < this.#dropped; this.#passed++)
      this.#start += frameLength(this.#buffer, this.#start);
    return this.#start - before;
  }

  /**
   * Adds copies to a page, behind the oldest `skipped` publications: as many as fit `bytesMax` for the whole page, but one at least for the whole page.
   * Whether all fitted.
   */
  readInto(page: FramePage, skipped: number, bytesMax: number): boolean {
    let start = this.#start;
    for (let index = this.#passed; index < this.#dropped + skipped; index++)
      start += frameLength(this.#buffer, start);
    const lengths: number[] = [];
    let end = start;
    while (end < this.#end) {
      const length = frameLength(this.#buffer, end);
      if (page.bytes + length > bytesMax && page.frames.length + lengths.length > 0) break;
      lengths.push(length);
      page.bytes += length;
      end += length;
    }
    const copy = new Uint8Array(this.#buffer.subarray(start, end));
    let at = 0;
    for (const length of lengths) {
      page.frames.push(copy.subarray(at, at + length));
      at += length;
    }
    return end === this.#end;
  }
}
