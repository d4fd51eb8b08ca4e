import type { Socket } from 'node:net';
import { takenBytesOf } from '@groupcast/stream-handle/taken-bytes';
import { coalesce } from '../framing/coalesce.ts';
import { concatCached } from '../framing/concat-cached.ts';

/**
 * Bytes below which chunks are copied together. Longer ones are given to the kernel as they are.
 */
const SMALL_CHUNK_BYTES = 4 * 1024;

/** The same limit, for a link that still has to send earlier bytes. */
const WAITING_CHUNK_BYTES = 16 * 1024;

/** Writes to the socket of a link. The rest of the socket belongs to the link. */
export class LinkSocket {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that wait in Node and in libuv; not those in the kernel. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Bytes that the kernel has accepted so far; undefined where that is unknown. */
  get acceptedBytes(): number | undefined {
    return takenBytesOf(this.#socket);
  }

  /** Writes chunks together. */
  write(chunks: readonly Uint8Array[]): void {
    // A slice keeps alive all that was read with it. That does not matter when it leaves at once. A
    // slice that has to wait is copied, unless it is long enough to be most of what was read, and
    // may be shared with other links.
    const mustWait = this.bufferedBytes > 0;
    const joined = coalesce(chunks, mustWait ? WAITING_CHUNK_BYTES : SMALL_CHUNK_BYTES, mustWait);
    const [first] = joined;
    if (joined.length === 1 && first !== undefined) {
      this.#socket.write(first);
      return;
    }
    this.#socket.cork();
    for (const chunk of joined) this.#socket.write(chunk);
    this.#socket.uncork();
  }

  /** Writes chunks through the stream, and calls `done` when the kernel has them, or never will. */
  writeThrough(chunks: readonly Uint8Array[], done: () => void): void {
    this.#socket.write(concatCached(chunks), done);
  }
}
