/**
 * The frames that leave together at the end of a turn. Slices that lie side by side in one buffer, as a run of frames
 * for one destination does in what was read, become one slice again: nothing is copied and one chunk is written.
 */
export class SendQueue {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    const last = this.#chunks.at(-1);
    if (
      last !== undefined &&
      last.buffer === chunk.buffer &&
      last.byteOffset + last.length === chunk.byteOffset
    ) {
      const joined = new Uint8Array(last.buffer, last.byteOffset, last.length + chunk.length);
      this.#chunks[this.#chunks.length - 1] = joined;
    } else {
      this.#chunks.push(chunk);
    }
  }

  /** Everything, in order; the queue is empty then. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }
}
