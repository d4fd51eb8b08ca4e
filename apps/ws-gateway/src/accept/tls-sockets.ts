import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Log } from '@groupcast/service';
import { clientAddressOf, setClientAddress } from '../socket/client-address.ts';

/** Certificate of a gateway that serves TLS itself, as PEM texts, and the keys of its sessions. */
export interface GatewayTls {
  /** Certificate for the names by which clients reach the gateway, with its chain. */
  readonly cert: string;
  readonly key: string;
  /**
   * Keys of session tickets: TICKET_KEYS_BYTES random bytes in base64. A client can resume its
   * session on each gateway or worker with the same keys. Default: keys of this gateway alone.
   */
  readonly ticketKeys?: string;
}

/** Length of the keys of session tickets, as Node.js has it. */
export const TICKET_KEYS_BYTES = 48;

/** Name of the sessions of a gateway. The default of Node.js depends on the command line. */
const SESSION_CONTEXT = 'groupcast-gateway';

export interface TlsSocketsOptions {
  readonly tls: GatewayTls;
  /** Time for the TLS handshake, in milliseconds. */
  readonly handshakeMs: number;
  readonly log: Log;
}

/** Receiver of sockets after their TLS handshake. */
export interface TlsSocketEvents {
  secured(socket: TLSSocket): void;
  /** The handshake failed or was late, and the socket is closed. */
  tlsFailed(socket: Socket): void;
}

/** Sockets of clients in their TLS handshake. */
export class TlsSockets {
  readonly #log: Log;
  readonly #receiver: TlsSocketEvents;
  readonly #server: Server;
  /** By their ends: Node has no way from a TLS socket to the one below. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #below = new WeakMap<Socket, Socket>();

  constructor({ tls, handshakeMs, log }: TlsSocketsOptions, receiver: TlsSocketEvents) {
    this.#log = log;
    this.#receiver = receiver;
    const { cert, key, ticketKeys } = tls;
    // It does not listen: its sockets come from the ports.
    this.#server = createServer({
      cert,
      key,
      handshakeTimeout: handshakeMs,
      ALPNProtocols: ['http/1.1'],
      sessionIdContext: SESSION_CONTEXT,
      ...(ticketKeys === undefined ? {} : { ticketKeys: Buffer.from(ticketKeys, 'base64') }),
    });
    this.#server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket));
    this.#server.on('tlsClientError', (error, socket: TLSSocket) => this.#failed(error, socket));
  }

  /** Starts the TLS handshake. Bytes that are returned to the stream afterwards are part of it. */
  add(socket: Socket): void {
    const ends = endsOf(socket);
    this.#handshakes.set(ends, socket);
    socket.once('close', () => this.#handshakes.delete(ends));
    // A client that ends its side in the handshake has left.
    socket.allowHalfOpen = false;
    // Otherwise bytes that are returned to it would be lost.
    socket.pause();
    this.#server.emit('connection', socket);
  }

  /** Returns the socket that came from the port: the one below a TLS socket, or the same. */
  portSocketOf(socket: Socket): Socket {
    return this.#below.get(socket) ?? socket;
  }

  /** Destroys the sockets whose handshake is not complete. */
  close(): void {
    for (const socket of this.#handshakes.values()) socket.destroy();
  }

  #secured(socket: TLSSocket): void {
    const below = this.#release(socket);
    if (below === undefined) {
      socket.destroy();
      return;
    }
    this.#below.set(socket, below);
    setClientAddress(socket, clientAddressOf(below));
    this.#receiver.secured(socket);
  }

  #failed(error: Error, socket: TLSSocket): void {
    const below = this.#release(socket);
    if (below !== undefined && !isEarlyEnd(error)) {
      this.#log.debug({ address: clientAddressOf(below), error }, 'the TLS handshake of a client failed');
      this.#receiver.tlsFailed(below);
    }
    socket.destroy();
  }

  #release(socket: TLSSocket): Socket | undefined {
    const ends = endsOf(socket);
    const below = this.#handshakes.get(ends);
    this.#handshakes.delete(ends);
    return below;
  }
}

function endsOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}

/** Returns whether the client left: it may be a load balancer that checks the port. */
function isEarlyEnd(error: Error): boolean {
  return 'code' in error && error.code === 'ECONNRESET';
}
