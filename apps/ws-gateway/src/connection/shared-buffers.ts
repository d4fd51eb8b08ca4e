import type { SharedBytes } from './waiting-chunks.ts';

/**
 * Bytes that count for each chunk that waits for a connection, beside its own: the entry in the queue of
 * the socket, the request to write it, and the books that are kept here.
 */
export const CHUNK_OVERHEAD_BYTES = 256;

/** The bytes of all chunks that wait for connections. A chunk that waits for many counts once. */
export class SharedBuffers implements SharedBytes {
  readonly #holders = new Map<Uint8Array, number>();
  #bytes = 0;

  /** Bytes that are held now. */
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
