import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { requestFault } from '@groupcast/service';
import type { GatewayOptions } from '../options.ts';
import { WELCOME_PAGE_HEADERS, welcomePage } from '../welcome-page/welcome-page.ts';

type Headers = Readonly<Record<string, string>>;

/** Where the answers come from. */
export interface HttpResponderDeps {
  /** Whether load balancers should send clients here. */
  isServing(): boolean;
  /** Counts a request that is no handshake in order. */
  rejected(reason: 'http' | 'handshake'): void;
}

/** Answers plain HTTP: health checks, and the page for newcomers where it is on. Everything else is told what is served here. */
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
      source.rejected('http');
      answer(response, fault.status, JSON_HEADERS, errorJson(fault.sentence));
    } else if (request.headers['sec-websocket-key'] !== undefined) {
      source.rejected('handshake');
      answer(response, 426, UPGRADE_HEADERS, errorJson(UPGRADE_IS_GONE));
    } else if (page !== undefined && path === '/' && isRead && source.isServing()) {
      answer(response, 200, WELCOME_PAGE_HEADERS, page);
    } else if (isHealthCheck(request.method, path, page !== undefined)) {
      if (source.isServing()) answer(response, 200, HEALTH_HEADERS, 'ok\n');
      else answer(response, 503, HEALTH_HEADERS, 'draining\n');
    } else answer(response, 404, JSON_HEADERS, errorJson('Only WebSockets are served here.'));
  };
}

/** HAProxy sends OPTIONS unless told otherwise, others HEAD or GET of a path. With the page on, `GET /` is one too. */
function isHealthCheck(method: string | undefined, path: string | undefined, hasPage: boolean): boolean {
  if (method === 'OPTIONS' || method === 'HEAD') return true;
  return method === 'GET' && (path === '/healthz' || (hasPage && path === '/'));
}

function answer(response: ServerResponse, status: number, headers: Headers, body: string): void {
  // Whoever asks for a page does not come back soon, and an idle connection would take a place from a WebSocket.
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
  'This is a WebSocket handshake without its Upgrade header or "Connection: Upgrade": a proxy in front has taken them away. ' +
  'Tell it to pass them on (nginx: proxy_http_version 1.1, proxy_set_header Upgrade and Connection).';

function errorJson(sentence: string): string {
  return `${JSON.stringify({ error: sentence })}\n`;
}

/** Answers on a socket that has left, or never reached, the HTTP server's care, and closes it. */
export function rejectRequest(socket: Duplex, status: number, sentence: string, headers: Headers = {}): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = errorJson(sentence);
  const all = { ...JSON_HEADERS, 'content-length': Buffer.byteLength(body), connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  // Whoever is refused may have gone already, and an error that nobody listens to ends the process.
  socket.on('error', destroy);
  socket.once('finish', destroy);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
}

function destroy(this: Duplex): void {
  this.destroy();
}
