import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TrustedAddresses } from '@groupcast/service';
import { handleOf } from '@groupcast/stream-handle';
import type { HandshakeRejection } from '../admin/gateway-stats.ts';
import type { BanVerdict } from '../auth/ban-index.ts';
import type { Identity } from '../auth/identity.ts';
import type { TokenChecks } from '../auth/token-checks.ts';
import type { GatewayOptions } from '../options.ts';
import { clientAddressOf } from '../socket/client-address.ts';
import { tokenHeadersOf } from './handshake-token.ts';
import { createHttpResponder, rejectRequest } from './http-response.ts';
import { listenAddresses } from './listen-addresses.ts';
import { Ports } from './ports.ts';
import { forwardedForIn, identifyClient } from './proxy/forwarded-for.ts';
import { type ProxiedSocketEvents, ProxiedSockets } from './proxy/proxied-sockets.ts';
import { type SilentSocketEvents, SilentSockets } from './silent-sockets.ts';
import { type TlsSocketEvents, TlsSockets } from './tls-sockets.ts';
import { type AdmissionRejection, type UpgradeEvents, Upgrader } from './upgrade.ts';
import type { UpgradeRequest } from './upgrade-request.ts';

/** Least time between two log lines about connections beyond the limit, in ticks. */
const FULL_LOG_TICKS = 10;

/** Receiver of accepted WebSockets and of rejections. */
export interface ListenerEvents extends Pick<UpgradeEvents, 'accepted'> {
  /** `address` is that of the client, as far as known. */
  rejected(reason: HandshakeRejection, address: string): void;
  /** Returns the ban of a client at an address that has a token, if there is one. */
  banOf(address: string, identity: Identity): BanVerdict | undefined;
  /** A socket of any kind has closed. */
  socketClosed(): void;
}

/** Accepts connections up to a limit; upgrades those that request it, and answers the others. */
export class Listener implements SilentSocketEvents, ProxiedSocketEvents, TlsSocketEvents {
  readonly #options: GatewayOptions;
  readonly #receiver: ListenerEvents;
  readonly #upgrader: Upgrader;
  readonly #silentSockets: SilentSockets;
  /** Undefined without any. */
  readonly #trustedProxies: TrustedAddresses | undefined;
  readonly #proxiedSockets: ProxiedSockets | undefined;
  readonly #tlsSockets: TlsSockets | undefined;
  readonly #server: Server;
  readonly #ports: Ports;
  /** Listeners with which the HTTP server serves a connection. */
  readonly #serveHttp: readonly ((socket: Socket) => void)[];
  #handshakeTimer: NodeJS.Timeout | undefined;
  #fullLoggedTick = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  /** Open sockets, including those of handshakes and pages. */
  #sockets = 0;
  /** Sockets that are not, or not yet, WebSockets; the oldest first. */
  readonly #pending = new Set<Socket>();
  readonly #socketClosed: (this: Socket) => void;
  #isHealthy = true;
  /** Whether `GET /readyz` is answered with 200, while the gateway is healthy. */
  isReady = true;

  /** `tokenChecks` is undefined where clients have no tokens. */
  constructor(options: GatewayOptions, receiver: ListenerEvents, tokenChecks?: TokenChecks) {
    this.#options = options;
    this.#receiver = receiver;
    const { trustedProxies, tls, handshakeMs, log } = options;
    if (tls !== undefined) this.#tlsSockets = new TlsSockets({ tls, handshakeMs, log }, this);
    if (trustedProxies.length > 0) {
      const trusted = new TrustedAddresses(trustedProxies, false);
      this.#trustedProxies = trusted;
      this.#proxiedSockets = new ProxiedSockets({ trusted, headerMs: handshakeMs, log }, this);
    }
    this.#socketClosed = this.#createCloseListener();
    const upgradeEvents: UpgradeEvents = {
      upgraded: (socket) => this.#pending.delete(this.#tlsSockets?.portSocketOf(socket) ?? socket),
      accepted: (socket, handshake) => receiver.accepted(socket, handshake),
      rejected: (reason, socket) => this.#rejected(reason, socket),
      banOf: (socket, identity) => receiver.banOf(clientAddressOf(socket), identity),
    };
    this.#upgrader = new Upgrader(options, upgradeEvents, tokenChecks);
    const tokenHeaders = tokenChecks && tokenHeadersOf(options.authCookie);
    this.#silentSockets = new SilentSockets({ ...options, tokenHeaders }, this);
    this.#server = this.#createServer();
    const listeners = this.#server.listeners('connection');
    this.#serveHttp = listeners.map((listener) => listener.bind(this.#server));
    // Not `server.maxConnections`: in a worker, the cluster module returns the surplus to the
    // primary, which offers it again immediately, in an endless loop.
    this.#server.removeAllListeners('connection');
    this.#ports = new Ports({
      addresses: listenAddresses(options),
      first: this.#server,
      log: options.log,
      admit: (socket, isProxied) => this.#admit(socket, isProxied),
    });
  }

  /** Whether no pending socket can become a connection, once the port is closed. */
  get isQuiet(): boolean {
    return this.#upgrader.rejectsAll || this.#sockets === 0;
  }

  /** Starts to accept on one of the `listenAddresses`; see `Ports.listen`. */
  listen(at: number, handle?: object): Promise<AddressInfo> {
    return this.#ports.listen(at, handle);
  }

  /** Accepts no connections until the next `listen`. */
  pause(): void {
    this.#ports.pause();
  }

  /** Stops accepting for good. Pending handshakes may still finish. */
  stopListening(): void {
    // A closed server no longer checks the deadlines of handshakes.
    if (this.#ports.stop())
      this.#handshakeTimer = setTimeout(() => this.#cutHandshakes(), this.#options.handshakeMs);
  }

  /** Makes health checks on the port fail; nothing else changes. */
  failHealth(): void {
    this.#isHealthy = false;
  }

  /** Rejects every handshake. */
  rejectAll(): void {
    this.#upgrader.rejectAll();
  }

  /**
   * Destroys the sockets of pending handshakes and pages. Call it after `stopListening`; resolves
   * when the ports are closed.
   */
  async close(): Promise<void> {
    this.#cutHandshakes();
    await this.#ports.closed();
    clearTimeout(this.#handshakeTimer);
  }

  admit(): AdmissionRejection | undefined {
    return this.#upgrader.admit();
  }

  reject(socket: Socket, reason: AdmissionRejection, text: string): void {
    if (this.#trustedProxies !== undefined) {
      identifyClient(socket, forwardedForIn(text), this.#trustedProxies);
    }
    this.#upgrader.reject(socket, reason);
  }

  upgrade(socket: Socket, request: UpgradeRequest): boolean {
    const { forwardedFor } = request;
    if (this.#trustedProxies !== undefined && forwardedFor !== undefined) {
      identifyClient(socket, forwardedFor, this.#trustedProxies);
    }
    return this.#upgrader.upgradeDirectly(socket, request);
  }

  http(socket: Socket, isAdmitted = false): void {
    if (isAdmitted) this.#upgrader.setAdmitted(socket);
    for (const serve of this.#serveHttp) serve(socket);
  }

  unproxied(socket: Socket): void {
    this.#rejected('proxy', socket);
  }

  silent(socket: Socket): void {
    this.#rejectHttp(408, TOO_LATE, socket);
  }

  #cutHandshakes(): void {
    this.#proxiedSockets?.close();
    this.#tlsSockets?.close();
    this.#silentSockets.close();
    this.#upgrader.close();
    this.#server.closeAllConnections();
  }

  #createServer(): Server {
    const options = this.#options;
    const server = createServer(
      {
        headersTimeout: options.handshakeMs,
        requestTimeout: options.handshakeMs,
        connectionsCheckingInterval: options.handshakeCheckMs,
        maxHeaderSize: options.headerBytesMax,
        // `requestFault` rejects such a request with a clear error.
        requireHostHeader: false,
      },
      createHttpResponder(options, {
        isReady: () => this.isReady,
        isServing: () => this.#isHealthy && !this.#upgrader.rejectsAll,
        rejected: (reason, socket) => this.#rejected(reason, socket),
      }),
    );
    // The responder counts them: Node would drop the last ones silently.
    server.maxHeadersCount = 0;
    if (this.#trustedProxies !== undefined) {
      // Before the responder, which counts rejections by address.
      server.prependListener('request', this.#identify);
      server.on('upgrade', this.#identify);
    }
    server.on('request', this.#upgrader.request);
    server.on('upgrade', this.#upgrader.upgrade);
    server.on('clientError', (error, socket) => this.#clientError(error, socket));
    return server;
  }

  readonly #identify = ({ socket, headers }: IncomingMessage): void => {
    const forwardedFor = headers['x-forwarded-for'];
    if (this.#trustedProxies === undefined || forwardedFor === undefined) return;
    identifyClient(socket, String(forwardedFor), this.#trustedProxies);
  };

  #rejected(reason: HandshakeRejection, socket: Duplex): void {
    this.#receiver.rejected(reason, clientAddressOf(socket));
  }

  #clientError(error: Error, socket: Duplex): void {
    const code = 'code' in error ? error.code : undefined;
    // A load balancer checks the port so.
    if (code === 'ECONNRESET' && socket instanceof Socket && socket.bytesRead === 0) socket.destroy();
    else if (code === 'HPE_HEADER_OVERFLOW')
      this.#rejectHttp(
        431,
        `The request header is longer than ${this.#options.headerBytesMax} bytes.`,
        socket,
      );
    else if (code === 'ERR_HTTP_REQUEST_TIMEOUT') this.#rejectHttp(408, TOO_LATE, socket);
    else this.#rejectHttp(400, 'Invalid HTTP request.', socket);
  }

  #rejectHttp(status: number, sentence: string, socket: Duplex): void {
    this.#rejected('http', socket);
    rejectRequest(socket, status, sentence);
  }

  #admit(socket: Socket, isProxied: boolean): void {
    this.#options.accepted(this.#sockets);
    if (this.#sockets >= this.#options.connectionsMax) {
      // Idle sockets must not keep out clients. A WebSocket is never closed for a new one.
      const [oldest] = this.#pending;
      this.#drop(oldest ?? socket);
      if (oldest === undefined) return;
    }
    this.#sockets += 1;
    this.#pending.add(socket);
    socket.on('close', this.#socketClosed);
    if (isProxied) this.#proxiedSockets?.add(socket);
    else this.proxied(socket);
  }

  /** Receives a socket whose PROXY header was read, if it has one. */
  proxied(socket: Socket): void {
    if (this.#tlsSockets === undefined) this.secured(socket);
    else this.#tlsSockets.add(socket);
  }

  tlsFailed(socket: Socket): void {
    this.#rejected('tls', socket);
  }

  /** Serves a socket, after its TLS handshake if it has one. */
  secured(socket: Socket): void {
    // A socket without a handle gains nothing from SilentSockets.
    const { fastPaths, directSockets } = this.#options;
    const handle = fastPaths && directSockets ? handleOf(socket) : undefined;
    if (handle === undefined) this.http(socket);
    else this.#silentSockets.add(socket, handle);
  }

  /** Creates the one listener that all sockets share. */
  #createCloseListener(): (this: Socket) => void {
    const closed = (socket: Socket): void => {
      this.#pending.delete(socket);
      this.#sockets -= 1;
      this.#receiver.socketClosed();
    };
    return function (this: Socket): void {
      closed(this);
    };
  }

  #drop(socket: Socket): void {
    this.#pending.delete(socket);
    this.#dropped += 1;
    this.#rejected('full', socket);
    socket.destroy();
    const { wheel, log, connectionsMax } = this.#options;
    if (wheel.now - this.#fullLoggedTick < FULL_LOG_TICKS) return;
    this.#fullLoggedTick = wheel.now;
    const dropped = this.#dropped;
    log.warn({ connectionsMax, dropped }, FULL);
  }
}

const FULL = 'connection limit reached; dropping the oldest idle connections, then new ones';
const TOO_LATE = 'The request took too long.';
