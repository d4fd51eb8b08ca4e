import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopbackHost } from '../process/loopback.ts';
import { isHostAllowed } from './admin-host.ts';
import { closeIdleBeyond } from './idle-connections.ts';
import { requestFault } from './request-fault.ts';

/** What an admin port serves. */
export interface AdminServerOptions {
  readonly host: string;
  /** 0 takes any free port, which `listen` tells. */
  readonly port: number;
  /** Whether the service can do its work now; the reason is shown when it cannot. */
  readonly ready: () => { readonly ready: boolean; readonly reason?: string };
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Exact path to what answers a GET with JSON. */
  readonly routes: Readonly<Record<string, () => Promise<object>>>;
  /** Told when a handler threw or took too long; the client saw only a code. */
  readonly onError: (error: unknown, path: string) => void;
}

/** The admin port of a service. */
export interface AdminServer {
  /** Rejects with Node's own error; `listenErrorMessage` makes a line of it. */
  listen(): Promise<AddressInfo>;
  /** Stops listening and ends idle connections at once, requests in progress after a second at the latest. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** For the header of a request. Checks and scrapers send it at once. */
const HEADERS_DEADLINE_MS = 2_000;
const REQUEST_DEADLINE_MS = 10_000;
const DEADLINE_CHECK_INTERVAL_MS = 500;
/** A handler that asks other processes may have to wait for one that hangs. */
const HANDLER_DEADLINE_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
/** A reader that takes nothing of its answer for this long is cut off. */
const SOCKET_IDLE_MS = 30_000;
const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MAX = 100;
/** Operators and scrapers are few; the rest of the file descriptors belong to the service. */
const CONNECTIONS_MAX = 64;
const CLOSE_GRACE_MS = 1_000;

const CLOSE = { Connection: 'close' };
const PLAIN_TEXT = 'text/plain; charset=utf-8';
const JSON_TEXT = 'application/json; charset=utf-8';

/**
 * Serves `/healthz`, `/readyz`, `/metrics` and the JSON routes to GET and HEAD. It has no login: whoever reaches the port
 * may read it, so that it belongs on loopback or a private network. On loopback it refuses names of other hosts, with
 * which a web page could otherwise read it through the operator's browser (DNS rebinding).
 */
export function createAdminServer(options: AdminServerOptions): AdminServer {
  const handlers = new Map<string, () => Promise<Answer>>([
    ['/healthz', async () => text(200, 'ok')],
    ['/readyz', async () => readiness(options.ready())],
    ['/metrics', async () => ({ status: 200, ...(await options.metrics()) })],
  ]);
  for (const [path, route] of Object.entries(options.routes)) {
    handlers.set(path, async () => json(200, await route()));
  }
  const loopbackOnly = isLoopbackHost(options.host);
  const server = createServer(
    {
      headersTimeout: HEADERS_DEADLINE_MS,
      requestTimeout: REQUEST_DEADLINE_MS,
      connectionsCheckingInterval: DEADLINE_CHECK_INTERVAL_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      // `requestFault` answers with a sentence.
      requireHostHeader: false,
    },
    (request, response) => {
      void answer(handlers, loopbackOnly, options.onError, request).then((made) =>
        send(response, made, !server.listening),
      );
    },
  );
  // `requestFault` counts them: Node would drop the last ones without a word.
  server.maxHeadersCount = 0;
  closeIdleBeyond(server, CONNECTIONS_MAX);
  server.timeout = SOCKET_IDLE_MS;
  return { listen: () => listen(server, options), close: () => close(server) };
}

async function answer(
  handlers: ReadonlyMap<string, () => Promise<Answer>>,
  loopbackOnly: boolean,
  onError: AdminServerOptions['onError'],
  request: IncomingMessage,
): Promise<Answer> {
  const fault = requestFault(request, HEADERS_MAX);
  if (fault !== undefined) {
    const code = fault.status === 431 ? 'headers_too_many' : 'bad_request';
    return { ...failure(fault.status, code, fault.sentence), headers: CLOSE };
  }
  if (loopbackOnly && !isHostAllowed(request.headers.host)) {
    return failure(421, 'wrong_host', 'Ask for this port by its address or as localhost.');
  }
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  const handler = handlers.get(path);
  if (handler === undefined) return failure(404, 'not_found', `Here are ${[...handlers.keys()].join(', ')}.`);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    // The rest of a body that nobody wants is not waited for.
    const headers = { Allow: 'GET, HEAD', ...CLOSE };
    return { ...failure(405, 'method_not_allowed', 'Use GET or HEAD.'), headers };
  }
  try {
    return await withDeadline(handler());
  } catch (error) {
    onError(error, path);
    return failure(500, 'internal', 'The answer could not be made; the log of the service says why.');
  }
}

function readiness(state: ReturnType<AdminServerOptions['ready']>): Answer {
  return state.ready ? text(200, 'ready') : text(503, state.reason ?? 'not ready');
}

function text(status: number, line: string): Answer {
  return { status, contentType: PLAIN_TEXT, body: `${line}\n` };
}

function json(status: number, value: object): Answer {
  return { status, contentType: JSON_TEXT, body: `${JSON.stringify(value)}\n` };
}

function failure(status: number, code: string, message: string): Answer {
  return json(status, { error: { code, message } });
}

function send(response: ServerResponse, made: Answer, closing: boolean): void {
  response.writeHead(made.status, {
    'Content-Type': made.contentType,
    'Content-Length': Buffer.byteLength(made.body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...made.headers,
    ...(closing ? { Connection: 'close' } : {}),
  });
  // Node leaves the body out where the request was HEAD.
  response.end(made.body);
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`No answer within ${HANDLER_DEADLINE_MS} ms.`)),
      HANDLER_DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function listen(server: Server, options: AdminServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', reject);
      // Past this point an error is one of accepting (too many open files, say), which the next connection may not meet.
      server.on('error', (error) => options.onError(error, 'accept'));
      resolve(server.address() as AddressInfo);
    });
  });
}

function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    // Node ends the idle connections itself here, since version 19.
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
