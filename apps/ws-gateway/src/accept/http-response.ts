import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { requestFault } from '@groupcast/service';
import type { GatewayOptions } from '../options.ts';
import { WELCOME_PAGE_HEADERS, welcomePage } from '../welcome-page/welcome-page.ts';

type Headers = Readonly<Record<string, string>>;

/** State and counters of the gateway that the responder needs. */
export interface HttpResponderDeps {
  /** Returns whether load balancers should send clients here. */
  isServing(): boolean;
  /** Returns whether the gateway can do its work, as far as it serves. */
  isReady(): boolean;
  /** Counts a request that is not a valid handshake. */
  rejected(reason: 'http' | 'handshake', socket: Socket): void;
}

/** Responds to health checks and with the welcome page, where it is enabled; otherwise with 404. */
export function createHttpResponder(
  options: Pick<GatewayOptions, 'welcomePage' | 'version' | 'headersMax'>,
  source: HttpResponderDeps,
): (request: IncomingMessage, response: ServerResponse) => void {
  const page = options.welcomePage ? welcomePage({ version: options.version }) : undefined;
  return (request, response) => {
    const fault = requestFault(request, options.headersMax);
    const path = request.url?.split('?', 1)[0];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (fault !== undefined) {
      source.rejected('http', request.socket);
      answer(response, fault.status, JSON_HEADERS, errorJson(fault.sentence));
    } else if (request.headers['sec-websocket-key'] !== undefined) {
      source.rejected('handshake', request.socket);
      answer(response, 426, UPGRADE_HEADERS, errorJson(UPGRADE_IS_GONE));
    } else if (page !== undefined && path === '/' && isRead && source.isServing()) {
      answer(response, 200, WELCOME_PAGE_HEADERS, page);
    } else if (isHealthCheck(request.method, path, page !== undefined)) {
      if (!source.isServing()) answer(response, 503, HEALTH_HEADERS, 'draining\n');
      else if (path === '/readyz' && !source.isReady()) answer(response, 503, HEALTH_HEADERS, 'not ready\n');
      else answer(response, 200, HEALTH_HEADERS, 'ok\n');
    } else answer(response, 404, JSON_HEADERS, errorJson('Not found: this port serves WebSockets.'));
  };
}

/**
 * Returns whether a request is a health check. HAProxy sends OPTIONS by default, others HEAD or
 * GET. With the welcome page, `GET /` is one, too.
 */
function isHealthCheck(method: string | undefined, path: string | undefined, hasPage: boolean): boolean {
  if (method === 'OPTIONS' || method === 'HEAD') return true;
  return method === 'GET' && (path === '/healthz' || path === '/readyz' || (hasPage && path === '/'));
}

function answer(response: ServerResponse, status: number, headers: Headers, body: string): void {
  // A kept-alive connection would use up the place of a WebSocket.
  response.writeHead(status, {
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  });
  response.end(body);
}

const JSON_HEADERS: Headers = { 'content-type': 'application/json' };
const UPGRADE_HEADERS: Headers = { ...JSON_HEADERS, upgrade: 'websocket' };
const HEALTH_HEADERS: Headers = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  allow: 'GET, HEAD, OPTIONS',
};

const UPGRADE_IS_GONE =
  'WebSocket handshake without the Upgrade header or "Connection: Upgrade": a proxy removed them. ' +
  'Configure it to forward them (nginx: proxy_http_version 1.1, proxy_set_header Upgrade and Connection).';

function errorJson(sentence: string): string {
  return `${JSON.stringify({ error: sentence })}\n`;
}

/** Sends a response on a socket that the HTTP server does not own, and closes it. */
export function rejectRequest(socket: Duplex, status: number, sentence: string, headers: Headers = {}): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = errorJson(sentence);
  const all = { ...JSON_HEADERS, 'content-length': Buffer.byteLength(body), connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  // The client may have left already, and an error without a listener ends the process.
  socket.on('error', destroy);
  socket.once('finish', destroy);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}

function destroy(this: Duplex): void {
  this.destroy();
}
