import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { HubOptions, HubTls } from '../options.ts';

/** Who gets what comes of connections. */
export interface ListenerEvents {
  /** A peer is connected; with TLS, its handshake is over. */
  accepted(socket: Socket): void;
  /** A peer did not get through the TLS handshake: it speaks none, or has no certificate that is taken. */
  tlsRefused(address: string, error: Error): void;
  /** A peer was cut in the TLS handshake, because others needed its place. */
  tlsEvicted(): void;
}

/** The port of a hub. */
export interface Listener {
  readonly server: Server;
  /** Cuts the peers that are still in the TLS handshake: the server's `close` would wait for them. */
  cutHandshakes(): void;
}

/** Plain TCP, or TLS where the options say so. */
export function createListener(options: HubOptions, events: ListenerEvents): Listener {
  const { tls } = options;
  if (tls !== undefined) return createTlsListener(tls, options, events);
  return { server: createServer((socket) => events.accepted(socket)), cutHandshakes: () => {} };
}

const EVICTED = new Error('Other peers needed its place in the TLS handshake.');

type HandshakeLimits = Pick<HubOptions, 'authenticationMs' | 'tlsHandshakesMax'>;

function createTlsListener(tls: HubTls, limits: HandshakeLimits, events: ListenerEvents): Listener {
  const { authenticationMs: handshakeTimeout, tlsHandshakesMax } = limits;
  // Oldest first; by the peer's address and port, because Node shows no way from the TLS socket to the one below it.
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
      oldest[1].destroy(EVICTED);
      events.tlsEvicted();
    }
    handshakes.set(peer, socket);
    socket.once('close', () => handshakes.delete(peer));
  });
  server.on('tlsClientError', (error, socket: TLSSocket) => {
    if (error !== EVICTED) events.tlsRefused(socket.remoteAddress ?? '', error);
    socket.destroy();
  });
  return {
    server,
    cutHandshakes: () => {
      for (const socket of handshakes.values()) socket.destroy();
    },
  };
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
