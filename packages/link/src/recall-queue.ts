/** What waits under one key. */
interface Waiting {
  readonly key: string;
  count: number;
}

/** Frames that wait, each under a key, and can be taken back by it. */
export class RecallQueue {
  // Side by side, because an object for each frame would be garbage for each frame.
  #frames: Uint8Array[] = [];
  #waitings: Waiting[] = [];
  /** Where the first one stands: what was taken is given up in one go, not frame by frame. */
  #head = 0;
  #bytes = 0;
  /** Only what waits, so that to recall what does not costs nothing. */
  readonly #byKey = new Map<string, Waiting>();
  /** Frames that follow each other mostly have one key. */
  #last: Waiting | undefined;

  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Uint8Array, key: string): void {
    const waiting = this.#last?.key === key ? this.#last : this.#waitingOf(key);
    waiting.count += 1;
    this.#last = waiting;
    this.#frames.push(frame);
    this.#waitings.push(waiting);
    this.#bytes += frame.length;
  }

  /** The oldest frames in order: so many bytes of them, but one at least where there is any. */
  take(bytesMax: number): readonly Uint8Array[] {
    const from = this.#head;
    let left = bytesMax;
    for (let frame = this.#frames[from]; frame !== undefined; frame = this.#frames[this.#head]) {
      if (this.#head > from && frame.length > left) break;
      left -= frame.length;
      this.#forget(frame, this.#waitings[this.#head]);
      this.#head += 1;
    }
    const frames = this.#frames.slice(from, this.#head);
    if (this.#head * 2 >= this.#frames.length) this.#trim();
    return frames;
  }

  /** Takes back all that waits under a key. Answers how many frames that were. */
  recall(key: string): number {
    const recalled = this.#byKey.get(key);
    if (recalled === undefined) return 0;
    const { count } = recalled;
    this.#trim();
    const frames = this.#frames;
    const waitings = this.#waitings;
    this.#frames = [];
    this.#waitings = [];
    for (const [index, frame] of frames.entries()) {
      const waiting = waitings[index];
      if (waiting === recalled || waiting === undefined) this.#forget(frame, waiting);
      else {
        this.#frames.push(frame);
        this.#waitings.push(waiting);
      }
    }
    return count;
  }

  #waitingOf(key: string): Waiting {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const waiting = { key, count: 0 };
    this.#byKey.set(key, waiting);
    return waiting;
  }

  #trim(): void {
    this.#frames.splice(0, this.#head);
    this.#waitings.splice(0, this.#head);
    this.#head = 0;
  }

  #forget(frame: Uint8Array, waiting: Waiting | undefined): void {
    this.#bytes -= frame.length;
    if (waiting === undefined) return;
    waiting.count -= 1;
    if (waiting.count > 0) return;
    this.#byKey.delete(waiting.key);
    if (this.#last === waiting) this.#last = undefined;
  }
}
