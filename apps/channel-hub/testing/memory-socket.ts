import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';

/** As much of a socket as a link without fast paths uses, in memory: what is fed to it is read in the same call. */
export class MemorySocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 1;
  readonly connecting = false;
  readonly writableLength = 0;
  readonly #taken: (bytes: Uint8Array) => void;
  readonly #waiting: Uint8Array[] = [];
  #isPaused = false;
  destroyed = false;

  /** `taken` is given what the other side writes. */
  constructor(taken: (bytes: Uint8Array) => void) {
    super();
    this.#taken = taken;
  }

  /** What a link takes it for. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }

  /** The peer writes. A paused socket keeps it. */
  feed(bytes: Uint8Array): void {
    if (this.destroyed) return;
    if (this.#isPaused) this.#waiting.push(bytes);
    else this.emit('data', bytes);
  }

  /** The peer has said all it had to say. */
  feedEnd(): void {
    if (!this.destroyed) this.emit('end');
  }

  write(bytes: Uint8Array, done?: () => void): boolean {
    if (!this.destroyed) this.#taken(bytes);
    // In a later turn, as the kernel's answer: until then what is held back stays where it can be recalled.
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
