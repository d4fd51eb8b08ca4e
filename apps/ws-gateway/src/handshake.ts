import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CLIENT_SUBPROTOCOL_V1 } from '@groupcast/protocol/schema';
import { type Server, WebSocketServer } from 'ws';
import { ClientSocket } from './client-socket.ts';
import type { HandshakeRefusal } from './gateway-stats.ts';
import { refuse } from './http-answer.ts';
import type { GatewayOptions } from './options.ts';
import { originsOf, originVerdict } from './policies/origin.ts';

/** Seconds after which a client may try again that came during a drain. */
const RETRY_AFTER_SECONDS = '1';

/** Who gets what comes of handshakes. */
export interface HandshakeReceiver {
  accepted(ws: ClientSocket, socket: Socket): void;
  refused(reason: HandshakeRefusal): void;
}

/** Turns HTTP upgrades into WebSockets. */
export class Handshake {
  readonly #server: Server<typeof ClientSocket>;
  readonly #origins: ReadonlySet<string>;
  readonly #receiver: HandshakeReceiver;
  /** Sockets on which plain HTTP was answered: they are about to close, whatever comes behind. */
  readonly #answered = new WeakSet<Duplex>();
  #draining = false;

  /** Throws a TypeError when one of the allowed origins is none. */
  constructor(options: GatewayOptions, receiver: HandshakeReceiver) {
    this.#origins = originsOf(options.allowedOrigins);
    this.#receiver = receiver;
    const serverOptions = {
      noServer: true,
      WebSocket: ClientSocket,
      handleProtocols,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.messageBytesMax,
      maxFragments: options.messageFragmentsMax,
      maxBufferedChunks: options.messageChunksMax,
      // For the closes that ws begins by itself; ours end by the wheel.
      closeTimeout: options.closeMs,
    };
    this.#server = new WebSocketServer<typeof ClientSocket>(serverOptions);
    this.#server.on('wsClientError', (_error, socket, request) => {
      receiver.refused('handshake');
      const status = request.method === 'GET' ? 400 : 405;
      refuse(socket, status, 'This is no WebSocket handshake (RFC 6455, section 4.2.1).', {
        'sec-websocket-version': '13, 8',
      });
    });
  }

  /** From now on every handshake is refused. */
  drain(): void {
    this.#draining = true;
  }

  /** Listener for `request` of an HTTP server. */
  readonly request = (request: IncomingMessage): void => {
    this.#answered.add(request.socket);
  };

  /** Listener for `upgrade` of an HTTP server. */
  readonly upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // The HTTP server has let go of the socket; an error without a listener would end the process.
    socket.on('error', destroy);
    if (this.#answered.has(socket)) {
      this.#receiver.refused('handshake');
      socket.once('finish', destroy);
      socket.end();
    } else if (this.#draining) {
      this.#refuse(socket, 'draining', 503, 'This gateway is about to end. Connect again.');
    } else if (!(socket instanceof Socket) || request.httpVersion !== '1.1') {
      this.#refuse(socket, 'handshake', 400, 'WebSockets need HTTP/1.1.');
    } else if (originVerdict(request.headers.origin, this.#origins) !== 'ok') {
      this.#refuse(socket, 'origin', 403, 'Pages of this origin may not connect.');
    } else {
      this.#server.handleUpgrade(request, socket, head, this.#upgraded);
    }
  };

  // Nothing of the request is kept but its socket.
  readonly #upgraded = (ws: ClientSocket, request: IncomingMessage): void => {
    const { socket } = request;
    // Ws has its own listener by now.
    socket.removeListener('error', destroy);
    this.#receiver.accepted(ws, socket);
  };

  #refuse(socket: Duplex, reason: HandshakeRefusal, status: number, sentence: string): void {
    this.#receiver.refused(reason);
    refuse(socket, status, sentence, status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {});
  }
}

function destroy(this: Duplex): void {
  this.destroy();
}

/** Never echoes a subprotocol that it does not speak: some clients put secrets there. */
function handleProtocols(offered: Set<string>): string | false {
  return offered.has(CLIENT_SUBPROTOCOL_V1) ? CLIENT_SUBPROTOCOL_V1 : false;
}
