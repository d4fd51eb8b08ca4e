import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { handshake, untilTurn } from '@groupcast/testkit/in-process';
import { type Server, WebSocketServer } from 'ws';
import { ClientSocket } from '../src/socket/client-socket.ts';
import { LazyWebSocket, type WebSocketReceiver } from '../src/socket/lazy-web-socket.ts';

/** Maximum bytes of a message in these tests. */
export const MESSAGE_BYTES_MAX = 100_000;

/**
 * Origin of a WebSocket: the upgrade of an HTTP server, with or without fast paths, or a direct
 * upgrade on a new socket, as for an ordinary request.
 */
export type Way = 'ws' | 'stream' | 'direct' | 'at once';

/** A connection under test. */
export interface AcceptedClient {
  readonly client: ClientSocket;
  /** Socket of the server. */
  readonly socket: Socket;
  /** Socket of the client, after the upgrade. */
  readonly far: Socket;
  /** Calls of the receiver, in order. */
  readonly heard: string[];
  /** Bytes that the client got after the response to its upgrade. */
  arrived(): Buffer;
  /** Writes bytes, and waits until the server has read them or is gone. */
  send(bytes: Uint8Array): Promise<void>;
}

/** Called by the receiver, so that a test can act during a callback. */
export type Reaction = (client: ClientSocket, heard: string) => void;

function recorder(heard: string[], react: (heard: string) => void): WebSocketReceiver {
  const hear = (what: string): void => {
    heard.push(what);
    react(what);
  };
  return {
    receive: (text) => hear(`text ${text}`),
    receiveBinary: () => hear('binary'),
    receiveControl: () => hear('control'),
    closing: (reason) => hear(`closing ${reason}`),
    closed: (code) => hear(`closed ${code}`),
  };
}

/** A server that creates ClientSockets as the upgrade of a gateway does. */
export class ClientSocketServer {
  readonly #way: Way;
  readonly #http = createServer();
  readonly #upgrades: Server<typeof LazyWebSocket>;
  readonly #farEnds = new Set<Socket>();
  #accepted: ((client: ClientSocket, socket: Socket) => void) | undefined;

  constructor(way: Way) {
    this.#way = way;
    const options = {
      noServer: true,
      WebSocket: LazyWebSocket,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: MESSAGE_BYTES_MAX,
      closeTimeout: 60_000,
    };
    this.#upgrades = new WebSocketServer<typeof LazyWebSocket>(options);
    if (way === 'at once') this.#http.removeAllListeners('connection').on('connection', this.#arrived);
    else this.#http.on('upgrade', this.#upgraded);
  }

  async listen(): Promise<void> {
    this.#http.listen(0, '127.0.0.1');
    await once(this.#http, 'listening');
  }

  close(): void {
    this.#http.close();
    for (const far of this.#farEnds) far.destroy();
  }

  /** Connects a client. `behind` are bytes in one chunk with its request. */
  async connect(react: Reaction = () => {}, behind: Uint8Array = Buffer.alloc(0)): Promise<AcceptedClient> {
    const heard: string[] = [];
    const accepted = new Promise<readonly [ClientSocket, Socket]>((resolve) => {
      this.#accepted = (client, socket) => {
        client.attach(recorder(heard, (what) => react(client, what)));
        resolve([client, socket]);
      };
    });
    const far = connect((this.#http.address() as AddressInfo).port, '127.0.0.1');
    this.#farEnds.add(far);
    far.on('error', () => {});
    const chunks: Buffer[] = [];
    far.on('data', (chunk: Buffer) => chunks.push(chunk));
    const all = (): Buffer => Buffer.concat(chunks);
    const request = this.#way === 'at once' ? '' : handshake();
    let sent = request.length + behind.length;
    far.write(Buffer.concat([Buffer.from(request), behind]));
    const [client, socket] = await accepted;
    if (request !== '') await untilTurn(() => all().includes('\r\n\r\n'));
    const begin = request === '' ? 0 : all().indexOf('\r\n\r\n') + 4;
    const send = async (bytes: Uint8Array): Promise<void> => {
      sent += bytes.length;
      far.write(bytes);
      await untilTurn(() => socket.destroyed || socket.bytesRead >= sent);
    };
    return { client, socket, far, heard, arrived: () => all().subarray(begin), send };
  }

  #settings(): ConstructorParameters<typeof ClientSocket>[1] {
    const { options } = this.#upgrades;
    return {
      messageBytesMax: MESSAGE_BYTES_MAX,
      fastPaths: this.#way !== 'ws',
      directSockets: this.#way !== 'stream',
      webSocketOptions: options,
    };
  }

  readonly #arrived = (socket: Socket): void => {
    this.#accepted?.(new ClientSocket(socket, this.#settings()), socket);
  };

  readonly #upgraded = (request: IncomingMessage, socket: Socket, head: Buffer): void => {
    this.#upgrades.handleUpgrade(request, socket, head, (ws) => {
      this.#accepted?.(new ClientSocket(socket, this.#settings(), ws), socket);
    });
  };
}
