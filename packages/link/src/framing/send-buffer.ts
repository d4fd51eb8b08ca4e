import type { LinkSocket } from '../socket/link-socket.ts';

/** Buffer for the frames that are sent in one event-loop turn. */
export interface LinkBuffer {
  readonly bytes: number;
  /** `key` is for `recall`. */
  push(frames: Uint8Array, key: string): void;
  /**
   * Writes what may leave now, or everything if `isClosing`, and returns its length in bytes. Calls
   * `next` when more may leave.
   */
  flush(socket: LinkSocket, isClosing: boolean, next: () => void): number;
  /** Removes the frames with this key and returns their number. */
  recall(key: string): number;
  clear(): void;
}

/**
 * Buffer that is written as a whole. Adjacent slices of one buffer, such as frames that were read
 * together and go to one destination, become one slice again: nothing is copied.
 */
export class SendBuffer implements LinkBuffer {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  // The last slice, which may still grow: its first chunk, its buffer, and its end in that buffer.
  #first: Uint8Array | undefined;
  #buffer: ArrayBufferLike | undefined;
  #end = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (chunk.buffer !== this.#buffer || chunk.byteOffset !== this.#end) {
      this.#endSlice();
      this.#first = chunk;
      this.#buffer = chunk.buffer;
      this.#end = chunk.byteOffset;
    }
    this.#end += chunk.length;
  }

  flush(socket: LinkSocket): number {
    const bytes = this.#bytes;
    if (bytes > 0) socket.write(this.take());
    return bytes;
  }

  /** Removes and returns everything, in order. */
  take(): readonly Uint8Array[] {
    this.#endSlice();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  /** Returns 0: nothing can be recalled. */
  recall(): number {
    return 0;
  }

  clear(): void {
    this.take();
  }

  #endSlice(): void {
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
