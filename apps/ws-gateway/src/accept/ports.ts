import { type AddressInfo, Server, type Socket } from 'node:net';
import type { Log } from '@groupcast/service';
import type { ListenAddress } from './listen-addresses.ts';

export interface PortsOptions {
  readonly addresses: readonly ListenAddress[];
  /** Server that listens on the first address. */
  readonly first: Server;
  readonly log: Log;
  /** Called with each connection. */
  admit(socket: Socket, isProxied: boolean): void;
}

/** The listening sockets of a gateway, one for each address. */
export class Ports {
  readonly #addresses: readonly ListenAddress[];
  readonly #servers: readonly Server[];
  #isPaused = false;
  /** Settles when all are closed, after `stop`. */
  #closed: Promise<unknown> | undefined;

  constructor({ addresses, first, log, admit }: PortsOptions) {
    this.#addresses = addresses;
    // With the options of an HTTP server.
    const create = (): Server => new Server({ allowHalfOpen: true, noDelay: true });
    this.#servers = addresses.map(({ isProxied }, at) => {
      const server = at === 0 ? first : create();
      server.on('connection', (socket: Socket) => admit(socket, isProxied));
      server.on('error', (error) => log.error({ error }, 'the listening socket failed'));
      return server;
    });
  }

  /**
   * Starts to accept on the address with this index: from a socket of its own, or from one that is
   * bound and shared. Rejects with the system's error, such as `EADDRINUSE`.
   */
  listen(at: number, handle?: object): Promise<AddressInfo> {
    const server = this.#servers[at];
    const address = this.#addresses[at];
    if (server === undefined || address === undefined) throw new RangeError(`No address has index ${at}.`);
    const { host, port } = address;
    this.#isPaused = false;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(handle ?? { host, port }, () => {
        server.removeListener('error', reject);
        // Each start would delay the check of handshake deadlines by an HTTP server. A pause does
        // not end that check, so the first start is enough.
        server.removeAllListeners('listening');
        const bound = server.address();
        if (bound !== null && typeof bound === 'object') resolve(bound);
        else reject(new Error('The gateway was closed before it listened.'));
      });
    });
  }

  /** Accepts no connections until the next `listen`. */
  pause(): void {
    for (const server of this.#servers) {
      if (!server.listening) continue;
      this.#isPaused = true;
      // The HTTP server's own `close` would also end connections without a request.
      Server.prototype.close.call(server);
    }
  }

  /** Stops accepting for good. Returns whether it accepted before, or had paused. */
  stop(): boolean {
    if (!this.#isPaused && !this.#servers.some(({ listening }) => listening)) return false;
    this.#isPaused = false;
    this.#closed = Promise.all(this.#servers.map(close));
    return true;
  }

  /** Resolves when no connection holds a port any more. Call it after `stop`. */
  async closed(): Promise<void> {
    await this.#closed;
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // One that has not listened is closed, too: its error says that.
    server.close(() => resolve());
  });
}
