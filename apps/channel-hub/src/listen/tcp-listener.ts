import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
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

/** The TCP port of a hub, on each of its addresses. */
export interface Listener {
  /** One for each address. */
  readonly servers: readonly Server[];
  /** Resolves with the first address. Rejects with Node's own error, which names the address. */
  listen(): Promise<AddressInfo>;
  /** Replaces the certificates of a listener for TLS; connected peers stay. */
  changeTls(tls: HubTls): void;
  /** Closes the peers in the TLS handshake, for which the `close` of a server would wait. */
  cutHandshakes(): void;
}

/** Creates a listener for plain TCP, or for TLS if the options have a certificate. */
export function createListener(options: HubOptions, events: ListenerEvents): Listener {
  const { host: hosts, port, tls } = options;
  const { server, ...ofTls } =
    tls === undefined ? createPlainServer(events) : createTlsServerOf(tls, options, events);
  // The first server serves the connections of all, so that they have one TLS and one limit.
  const others = hosts.slice(1).map(() => createServer((socket) => void server.emit('connection', socket)));
  const servers = [server, ...others];
  return { servers, ...ofTls, listen: () => listenOnEach(servers, hosts, port) };
}

type OneServer = Pick<Listener, 'changeTls' | 'cutHandshakes'> & { readonly server: Server };

function createPlainServer(events: ListenerEvents): OneServer {
  const server = createServer((socket) => events.accepted(socket));
  return { server, changeTls: () => {}, cutHandshakes: () => {} };
}

async function listenOnEach(
  servers: readonly Server[],
  hosts: readonly string[],
  port: number,
): Promise<AddressInfo> {
  let first: AddressInfo | undefined;
  for (const [index, server] of servers.entries()) {
    // The system chooses a free port for the first one only.
    server.listen({ host: hosts[index], port: first?.port ?? port });
    await once(server, 'listening');
    first ??= server.address() as AddressInfo;
  }
  return first as AddressInfo;
}

/** Error of a peer in the TLS handshake that the hub closes by itself. */
const CUT = new Error('The hub closed the connection in the TLS handshake.');

type HandshakeLimits = Pick<HubOptions, 'authenticationMs' | 'tlsHandshakesMax'>;

function createTlsServerOf(tls: HubTls, limits: HandshakeLimits, events: ListenerEvents): OneServer {
  const { authenticationMs: handshakeTimeout, tlsHandshakesMax } = limits;
  // Oldest first, by the addresses and ports.
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
    changeTls: (changed) => server.setSecureContext(changed),
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
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`;
}
