import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/**
 * The part of a socket that a link without direct sockets uses. Fed bytes are read in the same
 * call.
 */
export class MemorySocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly connecting = false;
  readonly writableLength = 0;
  readonly #received: (bytes: Uint8Array) => void;
  readonly #waiting: Uint8Array[] = [];
  #isPaused = false;
  destroyed = false;

  /** `received` gets the bytes that the other side writes. */
  constructor(received: (bytes: Uint8Array) => void) {
    super();
    this.#received = received;
  }

  /** This socket under the type that a link needs. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  /** Receives bytes from the peer; a paused socket keeps them. */
  feed(bytes: Uint8Array): void {
    if (this.destroyed) return;
    if (this.#isPaused) this.#waiting.push(bytes);
    else this.emit('data', bytes);
  }

  /** Receives the end of the peer's output. */
  feedEnd(): void {
    if (!this.destroyed) this.emit('end');
  }

  write(bytes: Uint8Array, done?: () => void): boolean {
    if (!this.destroyed) this.#received(bytes);
    // In a later turn, as the kernel does: until then held back frames can be recalled.
    if (done !== undefined) setImmediate(done);
    return true;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    process.nextTick(() => this.emit('close'));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    while (!this.#isPaused && !this.destroyed) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) return;
      this.emit('data', bytes);
    }
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  cork(): void {}
  uncork(): void {}
  setNoDelay(): void {}
  setKeepAlive(): void {}
}
