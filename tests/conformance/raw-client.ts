import { RawSocket } from '@groupcast/testkit';
import { CLOSE, clientFrame, handshake, serverFrames } from '@groupcast/testkit/in-process';

const CLOSE_OPCODE = 8;

/** A WebSocket client that sends exact bytes after a valid handshake. */
export class RawClient {
  readonly socket: RawSocket;

  private constructor(socket: RawSocket) {
    this.socket = socket;
  }

  /** Resolves when the gateway has answered the handshake with 101. */
  static async open(port: number, headers: readonly string[] = []): Promise<RawClient> {
    const socket = await RawSocket.open({ port });
    void socket.write(handshake(headers));
    const head = await socket.waitFor((received) => received.includes('\r\n\r\n'));
    if (!head.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(`No upgrade: ${head}`);
    return new RawClient(socket);
  }

  /** Answer of the gateway to the handshake. */
  get head(): string {
    return this.socket.received.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  }

  write(bytes: Uint8Array): void {
    void this.socket.write(bytes);
  }

  /**
   * Resolves with the code of the close frame, or `undefined`, when the gateway has ended the
   * connection.
   */
  async closeCode(): Promise<number | undefined> {
    const came = this.socket.waitFor((received) => closeFrame(received) !== undefined);
    // The connection may also be reset without a close frame.
    await Promise.race([came.catch(() => {}), this.socket.closed]);
    const payload = closeFrame(this.socket.received);
    if (payload !== undefined) this.write(clientFrame(CLOSE, payload.subarray(0, 2)));
    await this.socket.closed;
    return payload?.readUInt16BE(0);
  }
}

function closeFrame(received: Buffer): Buffer | undefined {
  return serverFrames(received).find(({ opcode }) => opcode === CLOSE_OPCODE)?.payload;
}
