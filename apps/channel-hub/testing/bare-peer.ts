import { readFileSync } from 'node:fs';
import { RawSocket } from '@groupcast/testkit';

const LENGTH_BYTES = 4;

/** Frames by name, as hex digits. They never change, and no encoder wrote them. */
const FRAMES: ReadonlyMap<string, string> = readFrames();

/** Returns a frame of a peer without capabilities, as hex digits. */
export function bare(name: string): string {
  const hex = FRAMES.get(name);
  if (hex === undefined) throw new Error(`golden/bare.json has no frame ${JSON.stringify(name)}.`);
  return hex;
}

/** A peer of the time before capabilities, which knows bytes only. */
export class BarePeer {
  readonly #socket: RawSocket;
  readonly #isBytewise: boolean;
  #taken = 0;

  private constructor(socket: RawSocket, isBytewise: boolean) {
    this.#socket = socket;
    this.#isBytewise = isBytewise;
  }

  /** Connects, and sends nothing. `isBytewise`: each byte is written by itself. */
  static async connect(port: number, isBytewise = false): Promise<BarePeer> {
    return new BarePeer(await RawSocket.open({ port }), isBytewise);
  }

  /** Connects, and exchanges HELLO and WELCOME. */
  static async open(port: number, isBytewise = false): Promise<BarePeer> {
    const peer = await BarePeer.connect(port, isBytewise);
    await peer.send(bare('hello'));
    await peer.take();
    return peer;
  }

  async send(...frames: string[]): Promise<void> {
    const bytes = Buffer.from(frames.join(''), 'hex');
    if (!this.#isBytewise) return this.#socket.write(bytes);
    for (const byte of bytes) await this.#socket.write(Uint8Array.of(byte));
  }

  /** Resolves with the next frame of the hub that is no heartbeat, as hex digits. */
  async take(): Promise<string> {
    for (;;) {
      const length = (await this.#bytes(LENGTH_BYTES)).readUInt32BE();
      const frame = (await this.#bytes(length)).toString('hex');
      this.#taken += length;
      if (length > LENGTH_BYTES) return frame;
    }
  }

  /** Resolves when the hub has closed the connection. */
  async closed(): Promise<void> {
    await this.#socket.closed;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Resolves with the next bytes, which stay. */
  async #bytes(count: number): Promise<Buffer> {
    const received = await this.#socket.waitForBytes(this.#taken + count);
    return received.subarray(this.#taken, this.#taken + count);
  }
}

function readFrames(): ReadonlyMap<string, string> {
  const file = new URL('../../../packages/protocol/golden/bare.json', import.meta.url);
  const { messages } = JSON.parse(readFileSync(file, 'utf8')) as {
    messages: readonly { readonly name: string; readonly hex: string }[];
  };
  return new Map(messages.map(({ name, hex }) => [name, hex]));
}
