import type { SubscribeSlot } from '../engine.ts';
import { Block, type FramePage } from './blocks/block.ts';
import type { Slabs } from './blocks/slabs.ts';
import type { ChannelBounds } from './channel-bounds.ts';
import { LruList } from './lru-list.ts';

/**
 * A block that starts within the time of the last one is twice as long, up to this: a busy channel
 * fills few of them.
 */
const BLOCK_CAPACITY_MAX = 16 * 1024;

/** Dropped blocks tolerated before the array is compacted. */
const COMPACT_MIN = 64;

/**
 * One channel: its position, and its newest publications, whose offsets end at `top` without a gap.
 * History enforces the limits.
 */
export class ChannelHistory {
  readonly channel: string;
  /** Bounds of the history, which a reload may replace. */
  bounds: ChannelBounds;
  /** The subscription to the channel by its name. */
  slot: SubscribeSlot | undefined;
  /** Time of the last publication, read or unsubscribe, in milliseconds of `performance.now`. */
  usedMs = 0;
  /** The last publishing peer, as far as it is known. */
  publisher = 0;
  /** The share that this memory counts towards; undefined before the first publication. */
  share: PublisherShare | undefined;
  /** The LRU list of the share for the age of the bounds; undefined without a share. */
  recency: LruList<ChannelHistory> | undefined;
  /** Neighbours in that list; undefined at the ends, and outside of it. */
  older: ChannelHistory | undefined;
  newer: ChannelHistory | undefined;
  /** The newest entry in PendingAppends, or -1. */
  lastPending = -1;
  /** The slot in the ChannelCache; -1 before the first use. */
  cacheSlot = -1;
  /** The channel's name as UTF-8, one character per byte. */
  readonly nameKey: string;
  /** Estimated bytes of the channel's name: V8 stores text outside Latin-1 twice as wide. */
  readonly nameBytes: number;
  readonly #slabs: Slabs;
  #top: number;
  #count = 0;
  #frameBytes = 0;
  #heldBytes = 0;
  // From #first on; earlier ones are dropped.
  #blocks: (Block | undefined)[] = [];
  #first = 0;
  #last: Block | undefined;
  // Time of the first block, which is read at each publication: the block itself is cold memory.
  #oldestMs = Number.POSITIVE_INFINITY;
  // The last dropped block. A busy channel soon needs another one of its size, and allocates none.
  #spare: Block | undefined;

  /** `top` is the offset of the newest publication that ever was, none of which is kept. */
  constructor(channel: string, top: number, bounds: ChannelBounds, slabs: Slabs) {
    this.channel = channel;
    this.bounds = bounds;
    this.#slabs = slabs;
    this.nameKey = keyOf(channel);
    this.nameBytes = 2 * channel.length + (this.nameKey === channel ? 0 : this.nameKey.length);
    this.#top = top;
  }

  get isSubscribed(): boolean {
    return this.slot !== undefined;
  }

  /** Whether these bytes are the channel's name. */
  isNamed(bytes: Uint8Array, start: number, length: number): boolean {
    const key = this.nameKey;
    if (key.length !== length) return false;
    for (let index = 0; index < length; index++) {
      if (bytes[start + index] !== key.charCodeAt(index)) return false;
    }
    return true;
  }

  /** Offset of the newest publication. */
  get top(): number {
    return this.#top;
  }

  /**
   * The offset before the oldest kept publication: a reader at this position or later misses
   * nothing.
   */
  get bottom(): number {
    return this.#top - this.#count;
  }

  /** Number of kept publications. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of memory held for the publications. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Time of the newest publication of the oldest block, in milliseconds; Infinity without one. */
  get oldestMs(): number {
    // The only block may still grow.
    if (this.#blocks.length - this.#first === 1) return this.#last?.untilMs ?? Number.POSITIVE_INFINITY;
    return this.#oldestMs;
  }

  /** Publications in the oldest block. */
  get oldestCount(): number {
    return this.#blocks[this.#first]?.count ?? 0;
  }

  /** Assigns the next `count` offsets; their publications follow by `push`, in order. */
  advance(count: number): void {
    this.#top += count;
  }

  /**
   * Keeps copies of the next `count` DELIVER frames between `start` and `end`, whose offsets were
   * assigned before. Publications within `togetherMs` of the bounds may share a block, and so be
   * dropped together by their age.
   */
  push(bytes: Uint8Array, start: number, end: number, count: number, nowMs: number): void {
    const length = end - start;
    this.#frameBytes += length;
    this.#count += count;
    const last = this.#last;
    const isNear = last !== undefined && nowMs - last.sinceMs <= this.bounds.togetherMs;
    if (isNear && last.room >= length) {
      last.add(bytes, start, end, count, nowMs);
      return;
    }
    const capacity = isNear ? Math.min(2 * last.capacity, BLOCK_CAPACITY_MAX) : 0;
    const block = this.#blockFor(Math.max(length, capacity), nowMs);
    block.add(bytes, start, end, count, nowMs);
    this.#last = block;
    this.#blocks.push(block);
    this.#findOldest();
  }

  /** Drops the oldest `count` of the kept publications. */
  drop(count: number): void {
    this.#count -= count;
    let left = count;
    while (left > 0) {
      const block = this.#blocks[this.#first];
      if (block === undefined) return;
      if (block.count > left) {
        block.drop(left);
        return;
      }
      left -= block.count;
      this.#release(block);
    }
  }

  /** Whether the kept frames exceed `bytesMax`. */
  exceeds(bytesMax: number): boolean {
    // Includes dropped frames of the oldest block until it is settled.
    if (this.#frameBytes <= bytesMax) return false;
    this.#frameBytes -= this.#blocks[this.#first]?.settle() ?? 0;
    return this.#frameBytes > bytesMax;
  }

  /** Drops all publications, but keeps the position. */
  clear(): void {
    this.#count = 0;
    this.#reset();
  }

  /**
   * Returns the frames after an offset that is not below `bottom`, up to `bytesMax` but at least
   * one if any exists.
   */
  framesAfter(offset: number, bytesMax: number): Uint8Array[] {
    const page: FramePage = { frames: [], bytes: 0 };
    let skipped = offset - this.bottom;
    for (let index = this.#first; index < this.#blocks.length; index++) {
      const block = this.#blocks[index];
      const count = block?.count ?? 0;
      if (count > skipped && !block?.readInto(page, skipped, bytesMax)) break;
      skipped = Math.max(0, skipped - count);
    }
    return page.frames;
  }

  #blockFor(capacity: number, nowMs: number): Block {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare?.capacity === capacity) {
      spare.clear(nowMs);
      return spare;
    }
    if (spare !== undefined) this.#discard(spare);
    const block = new Block(this.#slabs, capacity, nowMs);
    this.#heldBytes += block.heldBytes;
    return block;
  }

  #discard(block: Block): void {
    this.#heldBytes -= block.heldBytes;
    this.#slabs.free(block);
  }

  #reset(): void {
    for (const block of this.#blocks) if (block !== undefined) this.#slabs.free(block);
    if (this.#spare !== undefined) this.#slabs.free(this.#spare);
    this.#frameBytes = 0;
    this.#heldBytes = 0;
    this.#blocks = [];
    this.#first = 0;
    this.#last = undefined;
    this.#spare = undefined;
    this.#findOldest();
  }

  /** Releases the oldest block, which is empty. */
  #release(block: Block): void {
    this.#frameBytes -= block.frameBytes;
    if (this.#spare !== undefined) this.#discard(this.#spare);
    this.#spare = block;
    this.#blocks[this.#first] = undefined;
    this.#first += 1;
    if (this.#first === this.#blocks.length) this.#reset();
    else if (this.#first >= COMPACT_MIN && this.#first >= this.#blocks.length - this.#first) {
      this.#blocks = this.#blocks.slice(this.#first);
      this.#first = 0;
    }
    this.#findOldest();
  }

  #findOldest(): void {
    this.#oldestMs = this.#blocks[this.#first]?.untilMs ?? Number.POSITIVE_INFINITY;
  }
}

/** The channels that publishers of this share made grow last, and their memory. */
export class PublisherShare {
  readonly #recencies = new Map<number, LruList<ChannelHistory>>();
  /** Bytes of these channels. */
  bytes = 0;
  /** The bin of the share. */
  bin = -1;

  /**
   * Channels of the share with publications, by the age at which these expire: a list has the
   * channel that expires first at its end.
   */
  get recencies(): ReadonlyMap<number, LruList<ChannelHistory>> {
    return this.#recencies;
  }

  /** Returns the list of the channels whose publications expire after `ageMs`. */
  recencyOf(ageMs: number): LruList<ChannelHistory> {
    let recency = this.#recencies.get(ageMs);
    if (recency === undefined) {
      recency = new LruList();
      this.#recencies.set(ageMs, recency);
    }
    return recency;
  }

  /** Returns the least recently used channel. */
  oldest(): ChannelHistory | undefined {
    let oldest: ChannelHistory | undefined;
    for (const { oldest: one } of this.#recencies.values()) {
      if (one !== undefined && (oldest === undefined || one.usedMs < oldest.usedMs)) oldest = one;
    }
    return oldest;
  }

  /** Removes empty lists, to which no channel may refer. */
  forgetEmptyLists(): void {
    for (const [ageMs, { oldest }] of this.#recencies) {
      if (oldest === undefined) this.#recencies.delete(ageMs);
    }
  }
}

/** Returns the name as UTF-8, one character per byte, to compare it with bytes that were read. */
function keyOf(channel: string): string {
  return Buffer.from(channel).toString('latin1');
}
