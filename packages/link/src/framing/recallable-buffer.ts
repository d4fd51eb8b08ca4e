/** What waits under one key. */
interface Waiting {
  readonly key: string;
  count: number;
  bytes: number;
  isRecalled: boolean;
}

/** What was recalled and is still in the list may hold so many bytes more than what waits. */
const RECALLED_BYTES_MAX = 1024 * 1024;

/** Frames that wait, each under a key, and can be taken back by it. Each costs the same, however many wait. */
export class RecallableBuffer {
  // Side by side, because an object for each frame would be garbage for each frame.
  #frames: Uint8Array[] = [];
  #waitings: Waiting[] = [];
  /** Where the first one stands: what was taken is given up in one go, not frame by frame. */
  #head = 0;
  #bytes = 0;
  #recalledBytes = 0;
  readonly #byKey = new Map<string, Waiting>();
  /** Frames that follow each other mostly have one key. */
  #last: Waiting | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Uint8Array, key: string): void {
    const waiting = this.#last?.key === key ? this.#last : this.#waitingOf(key);
    waiting.count += 1;
    waiting.bytes += frame.length;
    this.#last = waiting;
    this.#frames.push(frame);
    this.#waitings.push(waiting);
    this.#bytes += frame.length;
  }

  /** The oldest frames in order: so many bytes of them, but one at least where there is any. */
  take(bytesMax: number): readonly Uint8Array[] {
    const taken: Uint8Array[] = [];
    let left = bytesMax;
    for (; this.#head < this.#frames.length; this.#head++) {
      const [frame, waiting] = [this.#frames[this.#head], this.#waitings[this.#head]];
      if (frame === undefined || waiting === undefined) break;
      if (waiting.isRecalled) {
        this.#recalledBytes -= frame.length;
        continue;
      }
      if (taken.length > 0 && frame.length > left) break;
      left -= frame.length;
      taken.push(frame);
      this.#leave(frame, waiting);
    }
    if (this.#head * 2 >= this.#frames.length) this.#sweep();
    return taken;
  }

  /** Takes back all that waits under a key. Answers how many frames that were. */
  recall(key: string): number {
    const recalled = this.#byKey.get(key);
    if (recalled === undefined) return 0;
    this.#byKey.delete(key);
    if (this.#last === recalled) this.#last = undefined;
    recalled.isRecalled = true;
    this.#bytes -= recalled.bytes;
    this.#recalledBytes += recalled.bytes;
    if (this.#recalledBytes > this.#bytes + RECALLED_BYTES_MAX) this.#sweep();
    return recalled.count;
  }

  #waitingOf(key: string): Waiting {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const waiting = { key, count: 0, bytes: 0, isRecalled: false };
    this.#byKey.set(key, waiting);
    return waiting;
  }

  #leave(frame: Uint8Array, waiting: Waiting): void {
    this.#bytes -= frame.length;
    waiting.bytes -= frame.length;
    waiting.count -= 1;
    if (waiting.count > 0) return;
    this.#byKey.delete(waiting.key);
    if (this.#last === waiting) this.#last = undefined;
  }

  /** Gives up what was taken and what was recalled. */
  #sweep(): void {
    const isKept = (_: unknown, index: number): boolean =>
      index >= this.#head && this.#waitings[index]?.isRecalled === false;
    this.#frames = this.#frames.filter(isKept);
    this.#waitings = this.#waitings.filter(isKept);
    this.#head = 0;
    this.#recalledBytes = 0;
  }
}
