import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CLOSE_CODES } from '@groupcast/protocol';
import { requestFault } from '@groupcast/service';
import { type Server, WebSocketServer } from 'ws';
import type { HandshakeRejection } from '../admin/gateway-stats.ts';
import type { BanVerdict } from '../auth/ban-index.ts';
import type { Identity } from '../auth/identity.ts';
import type { TokenChecks } from '../auth/token-checks.ts';
import { TokenError } from '../auth/token-error.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import { chooseProtocol } from '../client-protocols/client-protocols.ts';
import { ClientSessions } from '../connection/client-id.ts';
import type { Handshake } from '../connection/handshake.ts';
import { type Rate, RateLimit } from '../connection/rate-limit.ts';
import type { GatewayOptions } from '../options.ts';
import { ClientSocket, type SocketSettings } from '../socket/client-socket.ts';
import { LazyWebSocket } from '../socket/lazy-web-socket.ts';
import { HandshakeChecks } from './handshake-checks.ts';
import { handshakeTokenOf, tokenPlacesOf } from './handshake-token.ts';
import { rejectRequest } from './http-response.ts';
import { type AllowedOrigins, originsOf, originVerdict } from './origin.ts';
import { type UpgradeRequest, upgradeResponse } from './upgrade-request.ts';

const NEEDS_HTTP_1_1 =
  'WebSockets need HTTP/1.1: a proxy in front must speak it to the gateway (nginx: proxy_http_version 1.1).';

/**
 * Upper bound of the random `retry-after`, in seconds: rejected clients must not return together.
 */
const RETRY_AFTER_SECONDS_MAX = 3;

/** Status and error text of each reason to reject a valid handshake. */
const REJECTIONS = {
  draining: { status: 503, sentence: 'The gateway is shutting down. Reconnect.' },
  rate: { status: 503, sentence: 'Handshake rate limit reached. Retry later.' },
  origin: { status: 403, sentence: 'This origin is not allowed to connect.' },
} as const;

/** Header of a response to a token that is not accepted (RFC 6750, section 3). */
const INVALID_TOKEN = { 'www-authenticate': 'Bearer error="invalid_token"' } as const;

/** Reasons to reject a handshake before its request is read. */
export type AdmissionRejection = 'draining' | 'rate';

/** Receiver of finished handshakes. */
export interface UpgradeEvents {
  /** The socket is about to become a WebSocket. */
  upgraded(socket: Socket): void;
  accepted(socket: ClientSocket, handshake: Handshake): void;
  rejected(reason: HandshakeRejection, socket: Duplex): void;
  /** Returns the ban of a client that has a token, if there is one. */
  banOf(socket: Socket, identity: Identity): BanVerdict | undefined;
}

/** Turns HTTP upgrades into WebSockets. */
export class Upgrader {
  readonly #server: Server<typeof LazyWebSocket>;
  readonly #socketSettings: SocketSettings;
  readonly #origins: AllowedOrigins;
  readonly #sessions: ClientSessions;
  readonly #headersMax: number;
  readonly #receiver: UpgradeEvents;
  /** Sockets with a plain HTTP response: they are about to close, and ignore further requests. */
  readonly #answered = new WeakSet<Duplex>();
  /** Sockets whose handshake was admitted, and which the HTTP server reads. */
  readonly #admitted = new WeakSet<Duplex>();
  readonly #rate: Rate;
  readonly #rateLimit: RateLimit;
  readonly #authCookie: string;
  /** Undefined where clients have no tokens. */
  readonly #checks: HandshakeChecks | undefined;
  #refusing = false;

  constructor(options: GatewayOptions, receiver: UpgradeEvents, tokenChecks?: TokenChecks) {
    this.#authCookie = options.authCookie;
    if (tokenChecks !== undefined) this.#checks = new HandshakeChecks(options, tokenChecks);
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
      // For closes that ws starts by itself; the timing wheel ends the gateway's own.
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
      receiver.rejected('handshake', socket);
      const status = request.method === 'GET' ? 400 : 405;
      rejectRequest(socket, status, 'Invalid WebSocket handshake (RFC 6455, section 4.2.1).', {
        'sec-websocket-version': '13, 8',
      });
    });
  }

  get rejectsAll(): boolean {
    return this.#refusing;
  }

  /** Rejects every handshake from now on. */
  rejectAll(): void {
    this.#refusing = true;
  }

  /** Destroys the sockets of handshakes whose token is being checked. */
  close(): void {
    this.#checks?.close();
  }

  /** Listens to `request` of the HTTP server. */
  readonly request = (request: IncomingMessage): void => {
    this.#answered.add(request.socket);
  };

  /**
   * Returns why a handshake must be rejected, or `undefined`. Called before its request is read; it
   * uses up one handshake of the rate limit in any case.
   */
  admit(): AdmissionRejection | undefined {
    if (this.#refusing) return 'draining';
    return this.#isWithinRate() ? undefined : 'rate';
  }

  /** Marks the socket, so that `upgrade` does not admit its request a second time. */
  setAdmitted(socket: Duplex): void {
    this.#admitted.add(socket);
  }

  /** Rejects a handshake on a socket that the HTTP server does not own. */
  reject(socket: Duplex, reason: keyof typeof REJECTIONS): void {
    const { status, sentence } = REJECTIONS[reason];
    this.#receiver.rejected(reason, socket);
    rejectRequest(socket, status, sentence, status === 503 ? { 'retry-after': retryAfter() } : {});
  }

  /**
   * Accepts an ordinary, admitted request; returns false for other origins and for faults of
   * tokens, which `upgrade` rejects.
   */
  upgradeDirectly(socket: Socket, request: UpgradeRequest): boolean {
    if (originVerdict(request.origin, this.#origins) !== 'ok') return false;
    const { key, subprotocols } = request;
    const token = this.#checks && handshakeTokenOf({ authorizations: [], cookies: [], subprotocols }, '');
    if (token !== undefined && 'fault' in token) return false;
    const protocol = chooseProtocol(subprotocols?.split(',').map((name) => name.trim()) ?? []);
    this.#receiver.upgraded(socket);
    const client = new ClientSocket(socket, this.#socketSettings);
    client.write(upgradeResponse(key, protocol.subprotocol));
    const session = this.#sessionOf(protocol, subprotocols);
    this.#receiver.accepted(client, { protocol, session, token: token?.token, identity: undefined });
    return true;
  }

  /** Listens to `upgrade` of the HTTP server. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // The HTTP server has released the socket: an error without a listener ends the process.
    socket.on('error', destroy);
    if (this.#answered.has(socket)) {
      this.#receiver.rejected('handshake', socket);
      socket.once('finish', destroy);
      socket.end();
      return;
    }
    // The rest of an admitted request may arrive after `rejectAll`.
    const isAdmitted = this.#admitted.has(socket) && !this.#refusing;
    const rejection = isAdmitted ? undefined : this.admit();
    if (rejection === undefined) this.#read(request, socket, head);
    else this.reject(socket, rejection);
  };

  #read(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const fault = requestFault(request, this.#headersMax);
    if (!(socket instanceof Socket) || request.httpVersion !== '1.1') {
      this.#receiver.rejected('handshake', socket);
      rejectRequest(socket, 400, NEEDS_HTTP_1_1);
    } else if (fault !== undefined) {
      this.#receiver.rejected('http', socket);
      rejectRequest(socket, fault.status, fault.sentence);
    } else if (hasBody(request)) {
      this.#receiver.rejected('handshake', socket);
      rejectRequest(socket, 400, 'A WebSocket handshake has no body.');
    } else if (originVerdict(request.headers.origin, this.#origins) !== 'ok') {
      this.reject(socket, 'origin');
    } else {
      this.#readToken(request, socket, head);
    }
  }

  #readToken(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const found = this.#checks && handshakeTokenOf(tokenPlacesOf(request), this.#authCookie);
    if (found !== undefined && 'fault' in found) {
      this.#receiver.rejected('handshake', socket);
      rejectRequest(socket, 400, found.fault);
    } else if (found?.isRequired) {
      this.#checks?.add(socket, found.token, (result) => this.#checked(request, socket, head, result));
    } else {
      this.#finish(request, socket, head, { token: found?.token, identity: undefined });
    }
  }

  /** Receives the result for a token of `Authorization`. */
  #checked(request: IncomingMessage, socket: Socket, head: Buffer, result: Identity | TokenError): void {
    if (this.#refusing) {
      this.reject(socket, 'draining');
    } else if (result instanceof TokenError) {
      this.#receiver.rejected('token', socket);
      if (result.code === 'unavailable')
        rejectRequest(socket, 503, result.message, { 'retry-after': retryAfter() });
      else rejectRequest(socket, 401, result.message, INVALID_TOKEN);
    } else {
      this.#identified(request, socket, head, result);
    }
  }

  #identified(request: IncomingMessage, socket: Socket, head: Buffer, identity: Identity): void {
    const ban = this.#receiver.banOf(socket, identity);
    if (ban === undefined) {
      this.#finish(request, socket, head, { token: undefined, identity });
      return;
    }
    this.#receiver.rejected('token', socket);
    const sentence = ban.text ?? CLOSE_CODES[ban.close].reason;
    if (ban.close === 'banned') rejectRequest(socket, 403, sentence);
    else rejectRequest(socket, 401, sentence, INVALID_TOKEN);
  }

  #finish(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    proof: Pick<Handshake, 'token' | 'identity'>,
  ): void {
    const offered = request.headers['sec-websocket-protocol'];
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const protocol = chooseProtocol([ws.protocol]);
      const session = this.#sessionOf(protocol, offered);
      this.#receiver.upgraded(socket);
      // Its next owner listens to errors.
      socket.removeListener('error', destroy);
      const client = new ClientSocket(socket, this.#socketSettings, ws);
      this.#receiver.accepted(client, { protocol, session, ...proof });
    });
  }

  /** Returns the session that a client offers, or a new one, where its protocol has sessions. */
  #sessionOf(protocol: ClientProtocol, offered: string | undefined): string | undefined {
    if (!protocol.hasSessions) return undefined;
    return this.#sessions.offered(offered) ?? this.#sessions.create();
  }

  /** Limits all clients together: many share an address, and all return after a fault. */
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

/** Never echoes an unknown subprotocol: some clients send secrets there. */
function handleProtocols(offered: Set<string>): string | false {
  return chooseProtocol([...offered]).subprotocol ?? false;
}
