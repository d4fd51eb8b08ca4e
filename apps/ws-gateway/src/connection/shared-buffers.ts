import type { SharedBytes } from './buffered-chunks.ts';

/**
 * Bytes that each buffered chunk counts beside its own. They stand for its entry in the socket, its
 * write request, and the state of this class.
 */
export const CHUNK_OVERHEAD_BYTES = 256;

/** Counts the bytes of all buffered chunks. A chunk that several connections share counts once. */
export class SharedBuffers implements SharedBytes {
  readonly #holders = new Map<Uint8Array, number>();
  #bytes = 0;

  /** Bytes in buffers now. */
  get bytes(): number {
    return this.#bytes;
  }

  hold(chunk: Uint8Array): void {
    const holders = this.#holders.get(chunk) ?? 0;
    this.#holders.set(chunk, holders + 1);
    this.#bytes += CHUNK_OVERHEAD_BYTES;
    if (holders === 0) this.#bytes += chunk.length;
  }

  release(chunk: Uint8Array): void {
    const holders = this.#holders.get(chunk) ?? 0;
    this.#bytes -= CHUNK_OVERHEAD_BYTES;
    if (holders > 1) {
      this.#holders.set(chunk, holders - 1);
      return;
    }
    this.#holders.delete(chunk);
    this.#bytes -= chunk.length;
  }
}
