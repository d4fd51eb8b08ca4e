import type { SubscribeSlot } from '../engine.ts';
import { Block, type FramePage } from './block.ts';
import type { PublisherShare } from './share.ts';

/** A block that is begun in the time of the one before is twice as long, up to this: a busy channel fills few of them. */
const BLOCK_CAPACITY_MAX = 16 * 1024;

/** Blocks given up that are put up with before the array moves its rest to the front. */
const DROPS_MIN = 64;

/**
 * One channel: where it stands, and its newest publications, whose offsets are those up to `top` without a gap. Bounds are the
 * business of History.
 */
export class ChannelHistory {
  readonly channel: string;
  /** Who follows the channel by its name. */
  slot: SubscribeSlot | undefined;
  /** When it was last published to, read or unfollowed, in milliseconds of `performance.now`. */
  usedMs = 0;
  /** The peer that published last, as far as it is known. */
  publisher = 0;
  /** Who is charged with what it takes; undefined before anything was published. */
  share: PublisherShare | undefined;
  /** Neighbours among the streams of its share by their last use; undefined at the ends, and for one that is not among them. */
  older: ChannelHistory | undefined;
  newer: ChannelHistory | undefined;
  /** Its newest entry in Arrivals; -1 when there is none. */
  lastPending = -1;
  /** Its place in the ChannelCache; -1 before it had one. */
  cacheSlot = -1;
  /** The channel's name as UTF-8, a character for each byte. */
  readonly nameKey: string;
  /** What the channel's name takes, in bytes; estimated, because V8 stores text outside Latin-1 twice as wide. */
  readonly nameBytes: number;
  #top: number;
  #count = 0;
  #frameBytes = 0;
  #heldBytes = 0;
  // From #first on; what is before it is dropped.
  #blocks: (Block | undefined)[] = [];
  #first = 0;
  #last: Block | undefined;
  // Of the first block. It is looked at for each publication, and the block itself was not touched for long.
  #oldestMs = Number.POSITIVE_INFINITY;
  // The last one that was given up. A busy channel needs another one of its size soon, and allocates none.
  #spare: Block | undefined;

  /** `top`: offset of the newest publication that there ever was, none of which is kept. */
  constructor(channel: string, top: number) {
    this.channel = channel;
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

  /** The offset before the oldest publication that is kept: whoever stands there, or later, can have all that came after. */
  get bottom(): number {
    return this.#top - this.#count;
  }

  /** Publications that are kept. */
  get count(): number {
    return this.#count;
  }

  /** All that is held in memory for the publications, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** When the newest publication of the oldest block came, in milliseconds; Infinity when there is none. */
  get oldestMs(): number {
    // Of the only block: it may still grow.
    if (this.#blocks.length - this.#first === 1) return this.#last?.untilMs ?? Number.POSITIVE_INFINITY;
    return this.#oldestMs;
  }

  /** Publications in the oldest block. */
  get oldestCount(): number {
    return this.#blocks[this.#first]?.count ?? 0;
  }

  /** Gives away the next `count` offsets; what has them comes by `push`, in order. */
  advance(count: number): void {
    this.#top += count;
  }

  /**
   * Keeps copies of the next `count` DELIVERs, whose offsets were given away before, and which lie from `start` to `end`. What came within `togetherMs` may lie in one block, and
   * so be given up together when it is too old.
   */
  push(
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    nowMs: number,
    togetherMs: number,
  ): void {
    const length = end - start;
    this.#frameBytes += length;
    this.#count += count;
    const last = this.#last;
    const isNear = last !== undefined && nowMs - last.sinceMs <= togetherMs;
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

  /** Gives up the oldest `count` publications, of those that are kept. */
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
      this.#letGo(block);
    }
  }

  /** Whether the frames that are kept take more than `bytesMax`. */
  exceeds(bytesMax: number): boolean {
    // Counted too high by what was given up in the oldest block, until that is looked at.
    if (this.#frameBytes <= bytesMax) return false;
    this.#frameBytes -= this.#blocks[this.#first]?.settle() ?? 0;
    return this.#frameBytes > bytesMax;
  }

  /** Forgets all publications, but not where the channel stands. */
  clear(): void {
    this.#count = 0;
    this.#forget();
  }

  /** The frames behind an offset that is not below `bottom`: as many as fit `bytesMax`, but one at least where there is one. */
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
    const block = new Block(capacity, nowMs);
    this.#heldBytes += block.heldBytes - (spare?.heldBytes ?? 0);
    return block;
  }

  #forget(): void {
    this.#frameBytes = 0;
    this.#heldBytes = 0;
    this.#blocks = [];
    this.#first = 0;
    this.#last = undefined;
    this.#spare = undefined;
    this.#findOldest();
  }

  /** The oldest block, of which nothing is kept. */
  #letGo(block: Block): void {
    this.#frameBytes -= block.frameBytes;
    this.#heldBytes -= this.#spare?.heldBytes ?? 0;
    this.#spare = block;
    this.#blocks[this.#first] = undefined;
    this.#first += 1;
    if (this.#first === this.#blocks.length) this.#forget();
    else if (this.#first >= DROPS_MIN && this.#first >= this.#blocks.length - this.#first) {
      this.#blocks = this.#blocks.slice(this.#first);
      this.#first = 0;
    }
    this.#findOldest();
  }

  #findOldest(): void {
    this.#oldestMs = this.#blocks[this.#first]?.untilMs ?? Number.POSITIVE_INFINITY;
  }
}

/** The name as UTF-8, a character for each byte: it can be compared with what was read, byte by byte. */
function keyOf(channel: string): string {
  return Buffer.from(channel).toString('latin1');
}
