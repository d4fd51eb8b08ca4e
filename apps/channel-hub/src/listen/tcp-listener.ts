import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { HubOptions, HubTls } from '../options.ts';

/** Events of a listener. */
export interface ListenerEvents {
  /** A peer has connected; with TLS, its handshake has succeeded. */
  accepted(socket: Socket): void;
  /**
   * The TLS handshake of a peer failed: no TLS, or no accepted certificate. Without an error, the
   * peer closed the connection.
   */
  tlsRejected(address: string, error: Error | undefined): void;
  /** A peer was closed in the TLS handshake, because another one needed its place. */
  tlsEvicted(): void;
}

/** The TCP port of a hub. */
export interface Listener {
  readonly server: Server;
  /** Closes the peers in the TLS handshake, for which the server's `close` would wait. */
  cutHandshakes(): void;
}

/** Creates a listener for plain TCP, or for TLS if the options have a certificate. */
export function createListener(options: HubOptions, events: ListenerEvents): Listener {
  const { tls } = options;
  if (tls !== undefined) return createTlsListener(tls, options, events);
  return { server: createServer((socket) => events.accepted(socket)), cutHandshakes: () => {} };
}

/** Error of a peer in the TLS handshake that the hub closes by itself. */
const CUT = new Error('The hub closed the connection in the TLS handshake.');

type HandshakeLimits = Pick<HubOptions, 'authenticationMs' | 'tlsHandshakesMax'>;

function createTlsListener(tls: HubTls, limits: HandshakeLimits, events: ListenerEvents): Listener {
  const { authenticationMs: handshakeTimeout, tlsHandshakesMax } = limits;
  // Oldest first, by the peer's address and port.
  const handshakes = new Map<string, Socket>();
  const mutual = tls.ca !== undefined;
  const server = createTlsServer(
    { ...tls, requestCert: mutual, rejectUnauthorized: mutual, handshakeTimeout },
    (socket) => {
      handshakes.delete(peerOf(socket));
      events.accepted(socket);
    },
  );
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket);
    const [oldest] = handshakes;
    if (oldest !== undefined && handshakes.size >= tlsHandshakesMax) {
      handshakes.delete(oldest[0]);
      oldest[1].destroy(CUT);
      events.tlsEvicted();
    }
    handshakes.set(peer, socket);
    socket.once('close', () => handshakes.delete(peer));
  });
  server.on('tlsClientError', (error, socket: TLSSocket) => {
    const { remoteAddress: address = '' } = socketBelow(socket);
    if (error !== CUT) events.tlsRejected(address, rejectionOf(socket, error));
    socket.destroy();
  });
  return {
    server,
    cutHandshakes: () => {
      for (const socket of handshakes.values()) socket.destroy(CUT);
    },
  };
}

/** Returns why this end rejected a peer, or `undefined` when the peer closed the connection. */
function rejectionOf({ authorizationError }: TLSSocket, error: Error): Error | undefined {
  // Node gives the code of the reason here, and ends the socket with the error of a reset.
  if (authorizationError) return new Error(`Its certificate is not accepted: ${authorizationError}`);
  return 'code' in error && error.code === 'ECONNRESET' ? undefined : error;
}

/**
 * Returns the TCP socket below. It knows the peer's address after its end, when the TLS socket does
 * not. Node has no public way to it.
 */
function socketBelow(socket: TLSSocket & { readonly _parent?: Socket }): Socket {
  return socket._parent ?? socket;
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
