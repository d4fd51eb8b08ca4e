import { Span } from './slab.ts';
import { OVERHEAD_SHARE, type Slabs } from './slabs.ts';

/** Bytes that a block costs beside its span: measured, and verified by history-heap.test.ts. */
const BLOCK_BYTES = 256;

/** Frames read from blocks, and their bytes. */
export interface FramePage {
  readonly frames: Uint8Array[];
  bytes: number;
}

/**
 * DELIVER frames of one channel side by side in one span, oldest first. They are copies, so that a
 * block keeps no other memory alive.
 */
export class Block extends Span {
  #sinceMs: number;
  #untilMs: number;
  /** Publications added, and how many of the oldest of them are dropped. */
  #added = 0;
  #dropped = 0;
  // Start of the oldest kept frame, and end of the newest. The start is advanced lazily over
  // dropped frames (`#passed` of `#dropped` done), to avoid touching cold memory.
  #start = 0;
  #end = 0;
  #passed = 0;

  constructor(slabs: Slabs, capacity: number, nowMs: number) {
    super(capacity);
    slabs.allocate(this);
    this.#sinceMs = nowMs;
    this.#untilMs = nowMs;
  }

  /** Milliseconds of `performance.now`; no publication in the block is older. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Milliseconds of the newest publication. */
  get untilMs(): number {
    return this.#untilMs;
  }

  /** Bytes of memory held. */
  get heldBytes(): number {
    return blockBytes(this.capacity);
  }

  get room(): number {
    return this.capacity - this.#end;
  }

  /** Number of kept publications. */
  get count(): number {
    return this.#added - this.#dropped;
  }

  /** Bytes of the kept frames; since the last `settle` it may include dropped ones. */
  get frameBytes(): number {
    return this.#end - this.#start;
  }

  /** Copies `count` frames between `start` and `end`; they must fit. */
  add(bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void {
    // Not `subarray`, which takes several times as long for a Buffer.
    const frames = new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
    this.slab.bytes.set(frames, this.at + this.#end);
    this.#end += end - start;
    this.#added += count;
    this.#untilMs = nowMs;
  }

  /** Drops the oldest `count` publications. */
  drop(count: number): void {
    this.#dropped += count;
  }

  /** Empties the block for reuse. */
  clear(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#untilMs = nowMs;
    this.#added = 0;
    this.#dropped = 0;
    this.#start = 0;
    this.#end = 0;
    this.#passed = 0;
  }

  /** Makes `frameBytes` exact. Returns by how much it was too high. */
  settle(): number {
    const before = this.#start;
    for (; this.#passed < this.#dropped; this.#passed++) this.#start += this.#lengthAt(this.#start);
    return this.#start - before;
  }

  /**
   * Adds copies of the frames after the oldest `skipped` ones to a page, up to `bytesMax` for the
   * whole page but at least one. Returns whether all fitted.
   */
  readInto(page: FramePage, skipped: number, bytesMax: number): boolean {
    let start = this.#start;
    for (let index = this.#passed; index < this.#dropped + skipped; index++) start += this.#lengthAt(start);
    const lengths: number[] = [];
    let end = start;
    while (end < this.#end) {
      const length = this.#lengthAt(end);
      if (page.bytes + length > bytesMax && page.frames.length + lengths.length > 0) break;
      lengths.push(length);
      page.bytes += length;
      end += length;
    }
    const copy = this.slab.bytes.slice(this.at + start, this.at + end);
    let at = 0;
    for (const length of lengths) {
      page.frames.push(copy.subarray(at, at + length));
      at += length;
    }
    return end === this.#end;
  }

  // Not `frameLength`: it would become slower for the bytes that peers send, which have another
  // kind of buffer.
  #lengthAt(start: number): number {
    return this.slab.view.getUint32(this.at + start);
  }
}

/** Returns the bytes that a block costs. */
export function blockBytes(capacity: number): number {
  return Math.ceil(capacity * (1 + OVERHEAD_SHARE)) + BLOCK_BYTES;
}
