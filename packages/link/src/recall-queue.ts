interface Entry {
  readonly key: string;
  readonly frame: Uint8Array;
}

/** Frames that wait, each under a key, and can be taken back by it. */
export class RecallQueue {
  #entries: Entry[] = [];
  /** Where the first one stands: what was taken is given up in one go, not frame by frame. */
  #head = 0;
  #bytes = 0;
  /** How many wait under each key, so that to recall what is not there costs nothing. */
  readonly #counts = new Map<string, number>();

  get bytes(): number {
    return this.#bytes;
  }

  push(frame: Uint8Array, key: string): void {
    this.#entries.push({ key, frame });
    this.#bytes += frame.length;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** The oldest frames in order: so many bytes of them, but one at least where there is any. */
  take(bytesMax: number): readonly Uint8Array[] {
    const frames: Uint8Array[] = [];
    let left = bytesMax;
    for (let entry = this.#entries[this.#head]; entry !== undefined; entry = this.#entries[this.#head]) {
      if (frames.length > 0 && entry.frame.length > left) break;
      left -= entry.frame.length;
      frames.push(entry.frame);
      this.#head += 1;
      this.#forget(entry);
    }
    if (this.#head * 2 >= this.#entries.length) this.#trim();
    return frames;
  }

  /** Takes back all that waits under a key. Answers how many frames that were. */
  recall(key: string): number {
    const count = this.#counts.get(key) ?? 0;
    if (count === 0) return 0;
    this.#trim();
    for (const entry of this.#entries) if (entry.key === key) this.#forget(entry);
    this.#entries = this.#entries.filter((entry) => entry.key !== key);
    return count;
  }

  #trim(): void {
    this.#entries.splice(0, this.#head);
    this.#head = 0;
  }

  #forget({ key, frame }: Entry): void {
    this.#bytes -= frame.length;
    const left = (this.#counts.get(key) ?? 0) - 1;
    if (left > 0) this.#counts.set(key, left);
    else this.#counts.delete(key);
  }
}
