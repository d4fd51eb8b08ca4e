import { connect, type Socket } from 'node:net';
import { EventQueue } from '../waiting/event-queue.ts';

export interface RawSocketOptions {
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
}

/** How a TCP connection ended. */
export interface RawSocketEnd {
  /** Whether the peer ended it in order (FIN). */
  readonly ended: boolean;
  /** The code of the error it ended with, `ECONNRESET` for a peer that broke it off. */
  readonly error: string | undefined;
}

/** A TCP connection that sends exactly the bytes it is told to, and may misbehave in any way. */
export class RawSocket {
  /** When both sides are done with it. */
  readonly closed: Promise<RawSocketEnd>;
  readonly #socket: Socket;
  readonly #chunks: EventQueue<Buffer> = new EventQueue('chunk of bytes');
  #bytesReceived = 0;
  #ended = false;
  #error: string | undefined;

  /** Takes over a socket, connected or connecting. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#bytesReceived += chunk.length;
      this.#chunks.push(chunk);
    });
    socket.on('end', () => {
      this.#ended = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#error = error.code ?? error.message;
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#chunks.end(`the connection was closed (${this.#error ?? 'in order'})`);
        resolve({ ended: this.#ended, error: this.#error });
      });
    });
  }

  static open(options: RawSocketOptions): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', ...options });
      const raw = new RawSocket(socket);
      socket.once('connect', () => resolve(raw));
      socket.once('error', reject);
    });
  }

  /** All bytes that came. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks.all);
  }

  get bytesReceived(): number {
    return this.#bytesReceived;
  }

  /** Bytes that were written here and that the peer has not taken. */
  get bytesUnsent(): number {
    return this.#socket.writableLength;
  }

  /** Resolves when the kernel has taken the bytes. A peer that is gone shows in `closed`. */
  write(bytes: Uint8Array | string): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  /** Resolves with all bytes that came, once they fulfil a condition. */
  async waitFor(holds: (received: Buffer) => boolean): Promise<Buffer> {
    for (;;) {
      const { received } = this;
      if (holds(received)) return received;
      // Chunks that are in it already are passed over, so that the condition is asked once for all
      // of them.
      await this.#chunks.next(() => this.#bytesReceived > received.length);
    }
  }

  /** Resolves with all received bytes, once there are `count` of them. */
  async waitForBytes(count: number): Promise<Buffer> {
    if (this.#bytesReceived < count) await this.#chunks.next(() => this.#bytesReceived >= count);
    return this.received;
  }

  /** Stops reading: bytes stay in the kernel, and finally in the peer. */
  stopReading(): void {
    this.#socket.pause();
  }

  resumeReading(): void {
    this.#socket.resume();
  }

  /** Ends this side's half in order (FIN). */
  end(): void {
    this.#socket.end();
  }

  /** Breaks the connection off (RST). */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Lets go of the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }
}
