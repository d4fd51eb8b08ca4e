import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { clientFrame, handshake, TEXT } from '../../conformance/websocket-bytes.ts';

/** A member that looks at nothing that it gets, and may stop reading altogether: it costs next to nothing, so that there can be many. */
export class CarelessClient {
  /** When the gateway, or the network, has let go of it. */
  readonly closed: Promise<unknown>;
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    // How it went is of no interest, only that it did.
    socket.on('error', () => {});
    socket.on('data', () => {});
    this.closed = once(socket, 'close');
  }

  /** Resolves when it has joined the group; in plain mode, so that the first thing that comes is the ack. */
  static async open(port: number, group: string): Promise<CarelessClient> {
    const socket = connect({ host: '127.0.0.1', port });
    const client = new CarelessClient(socket);
    let received = '';
    const joined = new Promise<void>((resolve, reject) => {
      const look = (bytes: Buffer): void => {
        received += bytes.toString('latin1');
        if (!received.includes('"ack"')) return;
        socket.off('data', look);
        resolve();
      };
      socket.on('data', look);
      void client.closed.then(() => reject(new Error(`The gateway closed: ${received}`)));
    });
    socket.write(handshake());
    socket.write(clientFrame(TEXT, JSON.stringify({ cmd: 'add_group', group_id: group, id: 1 })));
    await joined;
    return client;
  }

  /** Nothing is read from now on: what comes stays in the kernel, and then in the gateway. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Finds out that the gateway has closed, if it has. */
  readOn(): void {
    this.#socket.resume();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
