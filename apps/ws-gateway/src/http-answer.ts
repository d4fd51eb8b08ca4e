import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { GatewayOptions } from './options.ts';
import { WELCOME_PAGE_HEADERS, welcomePage } from './welcome-page.ts';

type Headers = Readonly<Record<string, string>>;

/** What answers plain HTTP: the page for newcomers, where it is on, and nothing else. */
export function createHttpAnswer(
  options: Pick<GatewayOptions, 'welcomePage' | 'version'>,
): (request: IncomingMessage, response: ServerResponse) => void {
  const page = options.welcomePage ? welcomePage({ version: options.version }) : undefined;
  return (request, response) => {
    const path = request.url?.split('?', 1)[0];
    const isPage = path === '/' && (request.method === 'GET' || request.method === 'HEAD');
    if (page !== undefined && isPage) answer(response, 200, WELCOME_PAGE_HEADERS, page);
    else answer(response, 404, JSON_HEADERS, errorJson('Only WebSockets are served here.'));
  };
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

function errorJson(sentence: string): string {
  return `${JSON.stringify({ error: sentence })}\n`;
}

/** Answers on a socket that has left, or never reached, the HTTP server's care, and closes it. */
export function refuse(socket: Duplex, status: number, sentence: string, headers: Headers = {}): void {
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
