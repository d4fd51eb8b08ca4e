/**
 * The frames that leave together at the end of a turn. Slices that lie side by side in one buffer, as a run of frames
 * for one destination does in what was read, become one slice again: nothing is copied and one chunk is written.
 */
export class SendBuffer {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  // The run that may still grow: its first chunk, and where it ends in that chunk's buffer. No object is made for each frame.
  #first: Uint8Array | undefined;
  #buffer: ArrayBufferLike | undefined;
  #end = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (chunk.buffer !== this.#buffer || chunk.byteOffset !== this.#end) {
      this.#endRun();
      this.#first = chunk;
      this.#buffer = chunk.buffer;
      this.#end = chunk.byteOffset;
    }
    this.#end += chunk.length;
  }

  /** Everything, in order; the queue is empty then. */
  take(): readonly Uint8Array[] {
    this.#endRun();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  #endRun(): void {
    const first = this.#first;
    if (first === undefined) return;
    const length = this.#end - first.byteOffset;
    this.#chunks.push(
      length === first.length ? first : new Uint8Array(first.buffer, first.byteOffset, length),
    );
    this.#first = undefined;
    this.#buffer = undefined;
  }
}
