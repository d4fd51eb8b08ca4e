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

/** Chunks shorter than this are copied together, and the others are handed to the kernel as they are. */
const SMALL_CHUNK_BYTES = 4 * 1024;

/** The same for a link that has still to send what it was given before. */
const WAITING_CHUNK_BYTES = 16 * 1024;

/** The bytes of a link's socket, which go past its stream in both directions while nothing waits in that. The rest of a socket is the link's. */
export class LinkSocket implements ReadOwner, WriteOwner {
  readonly #socket: Socket;
  readonly #receive: (chunk: Uint8Array) => void;
  /** Where streams need not do the work. */
  #handle: TcpHandle | undefined;
  /** Bytes that went past the stream, and wait in libuv. */
  #waitingDirectly = 0;

  /** `receive` may keep what it is given. */
  constructor(socket: Socket, directSockets: boolean, receive: (chunk: Uint8Array) => void) {
    this.#socket = socket;
    this.#receive = receive;
    socket.on('data', receive);
    if (!directSockets) return;
    if (socket.connecting) socket.once('connect', () => this.#takeHandle());
    else this.#takeHandle();
  }

  /** Bytes that wait in Node and in libuv, not those in the kernel. */
  get waiting(): number {
    return this.#waitingDirectly + this.#socket.writableLength;
  }

  /** Bytes that the kernel has taken of all that was written; undefined where that cannot be seen. */
  get taken(): number | undefined {
    return takenBytesOf(this.#socket);
  }

  /** Writes chunks that belong together. */
  write(chunks: readonly Uint8Array[]): void {
    // A slice keeps alive all that was read with it. That is no matter when it leaves at once; what has to wait is copied, unless
    // it is long enough to be most of that, and to be shared with other links.
    const mustWait = this.waiting > 0;
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

  /** Writes chunks through the stream, and calls back when the kernel has them, or never will. */
  writeThrough(chunks: readonly Uint8Array[], done: () => void): void {
    this.#socket.write(concatCached(chunks), done);
  }

  /** Takes a copy of what came past the stream, unless the stream must have it: while it is paused, or has what came before. */
  read(chunk: Buffer, length: number): boolean {
    if (this.#socket.isPaused() || this.#socket.readableLength > 0) return false;
    this.#receive(Buffer.from(chunk.subarray(0, length)));
    return true;
  }

  /** Called when what was written past the stream no longer waits. */
  written(bytes: number, error: Error | undefined): void {
    this.#waitingDirectly -= bytes;
    if (error !== undefined) this.#socket.destroy(error);
  }

  #takeHandle(): void {
    this.#handle = handleOf(this.#socket);
    if (this.#handle !== undefined) readDirectly(this.#handle, this);
  }

  /** Whether the bytes are on their way. */
  #writeDirectly(bytes: Uint8Array): boolean {
    if (this.#handle === undefined) return false;
    const written = writeDirectly(this.#handle, bytes, this);
    if (written === 'waiting') this.#waitingDirectly = bytes.length;
    return written !== 'failed';
  }
}
