import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { requestFault } from '@groupcast/service';
import { type Server, WebSocketServer } from 'ws';
import type { HandshakeRejection } from '../admin/gateway-stats.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import { chooseProtocol } from '../client-protocols/client-protocols.ts';
import { ClientSessions } from '../connection/client-id.ts';
import { type Rate, RateLimit } from '../connection/rate-limit.ts';
import type { GatewayOptions } from '../options.ts';
import { ClientSocket, type SocketSettings } from '../socket/client-socket.ts';
import { LazyWebSocket } from '../socket/lazy-web-socket.ts';
import { rejectRequest } from './http-response.ts';
import { type AllowedOrigins, originsOf, originVerdict } from './origin.ts';
import { type UpgradeRequest, upgradeResponse } from './upgrade-request.ts';

const NEEDS_HTTP_1_1 =
  'WebSockets need HTTP/1.1: a proxy in front must speak it to the gateway (nginx: proxy_http_version 1.1).';

/** Who is refused for now may try again after 1 to so many seconds, at random, so that not all come back at once. */
const RETRY_AFTER_SECONDS_MAX = 3;

/** For each reason to reject a handshake that may be in order, the status and what is said. */
const REJECTIONS = {
  draining: { status: 503, sentence: 'The gateway is shutting down. Connect again.' },
  rate: { status: 503, sentence: 'Too many clients connect at once. Connect again later.' },
  origin: { status: 403, sentence: 'Pages of this origin may not connect.' },
} as const;

/** Why a handshake may not even be read. */
export type AdmissionRejection = 'draining' | 'rate';

/** Who gets what comes of handshakes. */
export interface UpgradeEvents {
  /** The socket is about to be a WebSocket. */
  upgraded(socket: Socket): void;
  /** `session` is the client's own or a new one, where its protocol has sessions; it is a secret. */
  accepted(socket: ClientSocket, protocol: ClientProtocol, session: string | undefined): void;
  rejected(reason: HandshakeRejection): void;
}

/** Turns HTTP upgrades into WebSockets. */
export class Upgrader {
  readonly #server: Server<typeof LazyWebSocket>;
  readonly #socketSettings: SocketSettings;
  readonly #origins: AllowedOrigins;
  readonly #sessions: ClientSessions;
  readonly #headersMax: number;
  readonly #receiver: UpgradeEvents;
  /** Sockets on which plain HTTP was answered: they are about to close, whatever comes behind. */
  readonly #answered = new WeakSet<Duplex>();
  /** Sockets whose handshake has its token, and is read by the HTTP server. */
  readonly #admitted = new WeakSet<Duplex>();
  readonly #rate: Rate;
  readonly #rateLimit: RateLimit;
  #refusing = false;

  constructor(options: GatewayOptions, receiver: UpgradeEvents) {
    this.#origins = originsOf(options.allowedOrigins);
    this.#sessions = new ClientSessions(options.sessionSecret);
    this.#headersMax = options.headersMax;
    this.#receiver = receiver;
    this.#rate = { perSecond: options.handshakesPerSecond, burst: options.handshakesBurst };
    this.#rateLimit = new RateLimit(this.#rate, performance.now());
    const serverOptions = {
      noServer: true,
      WebSocket: LazyWebSocket,
      handleProtocols,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.messageBytesMax,
      maxFragments: options.messageFragmentsMax,
      maxBufferedChunks: options.messageChunksMax,
      // For the closes that ws begins by itself; ours end by the wheel.
      closeTimeout: options.closeMs,
    };
    this.#server = new WebSocketServer<typeof LazyWebSocket>(serverOptions);
    const { messageBytesMax, fastPaths, directSockets } = options;
    this.#socketSettings = {
      messageBytesMax,
      fastPaths,
      directSockets,
      webSocketOptions: this.#server.options,
    };
    this.#server.on('wsClientError', (_error, socket, request) => {
      receiver.rejected('handshake');
      const status = request.method === 'GET' ? 400 : 405;
      rejectRequest(socket, status, 'Invalid WebSocket handshake (RFC 6455, section 4.2.1).', {
        'sec-websocket-version': '13, 8',
      });
    });
  }

  get rejectsAll(): boolean {
    return this.#refusing;
  }

  /** From now on every handshake is refused. */
  rejectAll(): void {
    this.#refusing = true;
  }

  /** Listener for `request` of an HTTP server. */
  readonly request = (request: IncomingMessage): void => {
    this.#answered.add(request.socket);
  };

  /**
   * Why a handshake may not go on, or `undefined` when it may. Asked before its request is read: takes a token of the
   * rate, whatever becomes of the handshake.
   */
  admit(): AdmissionRejection | undefined {
    if (this.#refusing) return 'draining';
    return this.#isWithinRate() ? undefined : 'rate';
  }

  /** The request on this socket was admitted already, and `upgrade` will not ask again. */
  setAdmitted(socket: Duplex): void {
    this.#admitted.add(socket);
  }

  /** Answers a handshake that may not go on. The socket has left, or never reached, the HTTP server's care. */
  reject(socket: Duplex, reason: keyof typeof REJECTIONS): void {
    const { status, sentence } = REJECTIONS[reason];
    this.#receiver.rejected(reason);
    rejectRequest(socket, status, sentence, status === 503 ? { 'retry-after': retryAfter() } : {});
  }

  /** Answers an ordinary request that was admitted. Returns whether it did: `upgrade` rejects those of other origins. */
  upgradeDirectly(socket: Socket, request: UpgradeRequest): boolean {
    if (originVerdict(request.origin, this.#origins) !== 'ok') return false;
    const { key, subprotocols } = request;
    const protocol = chooseProtocol(subprotocols?.split(',').map((name) => name.trim()) ?? []);
    this.#receiver.upgraded(socket);
    const client = new ClientSocket(socket, this.#socketSettings);
    client.write(upgradeResponse(key, protocol.subprotocol));
    this.#receiver.accepted(client, protocol, this.#sessionOf(protocol, subprotocols));
    return true;
  }

  /** Listener for `upgrade` of an HTTP server. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // The HTTP server has let go of the socket; an error without a listener would end the process.
    socket.on('error', destroy);
    if (this.#answered.has(socket)) {
      this.#receiver.rejected('handshake');
      socket.once('finish', destroy);
      socket.end();
      return;
    }
    // The rest of an admitted one may have come after the gateway was told to refuse all.
    const isAdmitted = this.#admitted.has(socket) && !this.#refusing;
    const rejection = isAdmitted ? undefined : this.admit();
    if (rejection === undefined) this.#read(request, socket, head);
    else this.reject(socket, rejection);
  };

  #read(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const fault = requestFault(request, this.#headersMax);
    if (!(socket instanceof Socket) || request.httpVersion !== '1.1') {
      this.#receiver.rejected('handshake');
      rejectRequest(socket, 400, NEEDS_HTTP_1_1);
    } else if (fault !== undefined) {
      this.#receiver.rejected('http');
      rejectRequest(socket, fault.status, fault.sentence);
    } else if (hasBody(request)) {
      this.#receiver.rejected('handshake');
      rejectRequest(socket, 400, 'A WebSocket handshake has no body.');
    } else if (originVerdict(request.headers.origin, this.#origins) !== 'ok') {
      this.reject(socket, 'origin');
    } else {
      this.#server.handleUpgrade(request, socket, head, this.#upgraded);
    }
  }

  // Nothing of the request is kept but its socket.
  readonly #upgraded = (ws: LazyWebSocket, request: IncomingMessage): void => {
    const { socket, headers } = request;
    const protocol = chooseProtocol([ws.protocol]);
    const session = this.#sessionOf(protocol, headers['sec-websocket-protocol']);
    this.#receiver.upgraded(socket);
    // From here on its errors are the business of whoever has it.
    socket.removeListener('error', destroy);
    this.#receiver.accepted(new ClientSocket(socket, this.#socketSettings, ws), protocol, session);
  };

  /** Returns the session that a client offers, or a new one, where its protocol has sessions. */
  #sessionOf(protocol: ClientProtocol, offered: string | undefined): string | undefined {
    if (!protocol.hasSessions) return undefined;
    return this.#sessions.offered(offered) ?? this.#sessions.create();
  }

  /** For all clients together: those behind one address are many, and those that come back after a fault are all. */
  #isWithinRate(): boolean {
    return this.#rate.perSecond === 0 || this.#rateLimit.take(this.#rate, performance.now()) === 'ok';
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) !== 0 || headers['transfer-encoding'] !== undefined;
}

function retryAfter(): string {
  return String(1 + Math.floor(Math.random() * RETRY_AFTER_SECONDS_MAX));
}

function destroy(this: Duplex): void {
  this.destroy();
}

/** Never echoes a subprotocol that it does not speak: some clients put secrets there. */
function handleProtocols(offered: Set<string>): string | false {
  return chooseProtocol([...offered]).subprotocol ?? false;
}
