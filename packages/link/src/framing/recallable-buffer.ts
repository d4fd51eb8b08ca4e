import type { LinkSocket } from '../socket/link-socket.ts';
import type { LinkBuffer } from './send-buffer.ts';

/** Frames in the buffer with the same key. */
interface Keyed {
  readonly key: string;
  count: number;
  bytes: number;
  isRecalled: boolean;
}

/** Limit for bytes of recalled frames, above those in the buffer, before the list is compacted. */
const RECALLED_BYTES_MAX = 1024 * 1024;

/** Bytes given to the kernel at a time. The rest can still be recalled. */
const WRITE_BYTES = 64 * 1024;

/**
 * Buffer whose frames can be recalled by their keys while the kernel does not accept them. The cost
 * of a frame does not depend on the size of the buffer.
 */
export class RecallableBuffer implements LinkBuffer {
  // Two arrays, because one object per frame would be garbage per frame.
  #frames: Uint8Array[] = [];
  #keyed: Keyed[] = [];
  /** Index of the first frame. Those before it are removed together, not one by one. */
  #head = 0;
  #bytes = 0;
  #recalledBytes = 0;
  readonly #byKey = new Map<string, Keyed>();
  /** The last entry: adjacent frames mostly have the same key. */
  #last: Keyed | undefined;
  #isWriting = false;

  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Uint8Array, key: string): void {
    const keyed = this.#last?.key === key ? this.#last : this.#keyedOf(key);
    keyed.count += 1;
    keyed.bytes += frame.length;
    this.#last = keyed;
    this.#frames.push(frame);
    this.#keyed.push(keyed);
    this.#bytes += frame.length;
  }

  flush(socket: LinkSocket, isClosing: boolean, next: () => void): number {
    const before = this.#bytes;
    if (before === 0 || (this.#isWriting && !isClosing)) return 0;
    this.#isWriting = true;
    socket.writeThrough(this.take(isClosing ? before : WRITE_BYTES), () => {
      this.#isWriting = false;
      next();
    });
    return before - this.#bytes;
  }

  /** Removes and returns the oldest frames, in order: one, and more up to `bytesMax`. */
  take(bytesMax: number): readonly Uint8Array[] {
    const taken: Uint8Array[] = [];
    let left = bytesMax;
    for (; this.#head < this.#frames.length; this.#head++) {
      const [frame, keyed] = [this.#frames[this.#head], this.#keyed[this.#head]];
      if (frame === undefined || keyed === undefined) break;
      if (keyed.isRecalled) {
        this.#recalledBytes -= frame.length;
        continue;
      }
      if (taken.length > 0 && frame.length > left) break;
      left -= frame.length;
      taken.push(frame);
      this.#leave(frame, keyed);
    }
    if (this.#head * 2 >= this.#frames.length) this.#compact();
    return taken;
  }

  recall(key: string): number {
    const recalled = this.#byKey.get(key);
    if (recalled === undefined) return 0;
    this.#byKey.delete(key);
    if (this.#last === recalled) this.#last = undefined;
    recalled.isRecalled = true;
    this.#bytes -= recalled.bytes;
    this.#recalledBytes += recalled.bytes;
    if (this.#recalledBytes > this.#bytes + RECALLED_BYTES_MAX) this.#compact();
    return recalled.count;
  }

  clear(): void {
    this.take(this.#bytes);
  }

  #keyedOf(key: string): Keyed {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const keyed = { key, count: 0, bytes: 0, isRecalled: false };
    this.#byKey.set(key, keyed);
    return keyed;
  }

  #leave(frame: Uint8Array, keyed: Keyed): void {
    this.#bytes -= frame.length;
    keyed.bytes -= frame.length;
    keyed.count -= 1;
    if (keyed.count > 0) return;
    this.#byKey.delete(keyed.key);
    if (this.#last === keyed) this.#last = undefined;
  }

  /** Removes the frames before the head and the recalled ones. */
  #compact(): void {
    const isKept = (_: unknown, index: number): boolean =>
      index >= this.#head && this.#keyed[index]?.isRecalled === false;
    this.#frames = this.#frames.filter(isKept);
    this.#keyed = this.#keyed.filter(isKept);
    this.#head = 0;
    this.#recalledBytes = 0;
  }
}
