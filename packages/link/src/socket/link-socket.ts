import type { Socket } from 'node:net';
import {
  handleOf,
  type ReadOwner,
  readDirectly,
  type TcpHandle,
  takenBytesOf,
  type WriteOwner,
  writeDirectly,
} from '@groupcast/stream-handle';
import { coalesce } from '../framing/coalesce.ts';
import { concatCached } from '../framing/concat-cached.ts';

/**
 * Bytes below which chunks are copied together. Longer ones are given to the kernel as they are.
 */
const SMALL_CHUNK_BYTES = 4 * 1024;

/** The same limit, for a link that still has to send earlier bytes. */
const WAITING_CHUNK_BYTES = 16 * 1024;

/**
 * Reads and writes the handle of a link's socket directly while its stream is empty. The rest of a
 * socket belongs to the link.
 */
export class LinkSocket implements ReadOwner, WriteOwner {
  readonly #socket: Socket;
  readonly #receive: (chunk: Uint8Array) => void;
  /** Handle for direct reads and writes; undefined without direct sockets. */
  #handle: TcpHandle | undefined;
  /** Bytes that were written directly, and wait in libuv. */
  #directBytes = 0;

  /** `receive` may keep its argument. */
  constructor(socket: Socket, directSockets: boolean, receive: (chunk: Uint8Array) => void) {
    this.#socket = socket;
    this.#receive = receive;
    socket.on('data', receive);
    if (!directSockets) return;
    if (socket.connecting) socket.once('connect', () => this.#takeHandle());
    else this.#takeHandle();
  }

  /** Bytes that wait in Node and in libuv; not those in the kernel. */
  get bufferedBytes(): number {
    return this.#directBytes + this.#socket.writableLength;
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
      if (mustWait || !this.#writeDirectly(first)) this.#socket.write(first);
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

  /**
   * Copies bytes that were read directly. Returns false when the stream must have them: while it is
   * paused, or holds earlier bytes.
   */
  read(chunk: Buffer, length: number): boolean {
    if (this.#socket.isPaused() || this.#socket.readableLength > 0) return false;
    this.#receive(Buffer.from(chunk.subarray(0, length)));
    return true;
  }

  /** Called when bytes that were written directly no longer wait. */
  written(bytes: number, error: Error | undefined): void {
    this.#directBytes -= bytes;
    if (error !== undefined) this.#socket.destroy(error);
  }

  #takeHandle(): void {
    this.#handle = handleOf(this.#socket);
    if (this.#handle !== undefined) readDirectly(this.#handle, this);
  }

  /** Returns whether the bytes are on their way. */
  #writeDirectly(bytes: Uint8Array): boolean {
    if (this.#handle === undefined) return false;
    const written = writeDirectly(this.#handle, bytes, this);
    if (written === 'waiting') this.#directBytes = bytes.length;
    return written !== 'failed';
  }
}
