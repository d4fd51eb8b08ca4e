import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings, RequestError } from '@hono/node-server';
import { Hono } from 'hono';
import { isLoopbackHost } from '../process/loopback.ts';
import { isHostAllowed } from './admin-host.ts';
import { CLOSE, failure } from './answer.ts';
import { closeIdleBeyond } from './idle-connections.ts';
import { requestFault } from './request-fault.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** Port to listen on. 0 chooses a free one, which `listen` returns. */
  readonly port: number;
  /** Called when a connection could not be accepted. */
  readonly onAcceptError: (error: Error) => void;
}

/** A server that listens on one port. */
export interface HttpServer {
  /** Rejects with Node's own error; `listenErrorMessage` explains it. */
  listen(): Promise<AddressInfo>;
  /** Stops listening. Closes idle connections at once, and requests in progress within a second. */
  close(): Promise<void>;
}

/** Routes of a server. `env.incoming` of a context is Node's request. */
export type Routes = Hono<{ Bindings: HttpBindings }>;

/**
 * Time for the header of a request, in milliseconds. Health checks and scrapers send it at once.
 */
const HEADERS_DEADLINE_MS = 2_000;
const REQUEST_DEADLINE_MS = 10_000;
const DEADLINE_CHECK_INTERVAL_MS = 500;
const KEEP_ALIVE_MS = 5_000;
/**
 * Time after which a client that reads nothing of its response is disconnected, in milliseconds.
 */
const SOCKET_IDLE_MS = 30_000;
const HEADER_BYTES_MAX = 8 * 1024;
const HEADERS_MAX = 100;
/** Operators and scrapers are few; the other file descriptors belong to the service. */
const CONNECTIONS_MAX = 64;
const CLOSE_GRACE_MS = 1_000;

const NODE_OPTIONS = {
  headersTimeout: HEADERS_DEADLINE_MS,
  requestTimeout: REQUEST_DEADLINE_MS,
  connectionsCheckingInterval: DEADLINE_CHECK_INTERVAL_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  maxHeaderSize: HEADER_BYTES_MAX,
  // `requestFault` checks it, with a sentence in the response.
  requireHostHeader: false,
};

const ADAPTER_OPTIONS = {
  // The program around this one keeps its own Request and Response.
  overrideGlobalObjects: false,
  errorHandler: (error: unknown): Response =>
    error instanceof RequestError
      ? failure(400, 'bad_request', 'The request target is invalid.', CLOSE)
      : failure(500, 'internal', 'The request failed.'),
};

/**
 * Serves routes with limits on connections, sizes and times. On a loopback address it rejects names
 * of other hosts: with one, a web page could read the port through the user's browser (DNS
 * rebinding).
 */
export function createHttpServer(options: HttpServerOptions, addRoutes: (app: Routes) => void): HttpServer {
  const app: Routes = new Hono();
  app.use(async (context, next) => {
    await next();
    if (!server.listening) context.header('Connection', 'close');
  });
  addRoutes(app);
  const server = createNodeServer(app, isLoopbackHost(options.host));
  return { listen: () => listen(server, options), close: () => close(server) };
}

function createNodeServer(app: Routes, isLoopback: boolean): Server {
  const respond = getRequestListener(app.fetch, ADAPTER_OPTIONS);
  const server = createServer(NODE_OPTIONS, (request, response) => {
    const rejection = rejectionOf(request, isLoopback);
    // Checked above. The adapter makes a URL of it, and rejects some valid ones.
    request.headers.host = 'localhost';
    if (rejection === undefined) void respond(request, response);
    else void getRequestListener(() => rejection, ADAPTER_OPTIONS)(request, response);
  });
  // `requestFault` counts them: Node would drop the last ones silently.
  server.maxHeadersCount = 0;
  server.timeout = SOCKET_IDLE_MS;
  closeIdleBeyond(server, CONNECTIONS_MAX);
  return server;
}

/** Returns the response to a request that must not reach the routes. */
function rejectionOf(request: IncomingMessage, isLoopback: boolean): Response | undefined {
  const fault = requestFault(request, HEADERS_MAX);
  if (fault !== undefined) {
    const code = fault.status === 431 ? 'headers_too_many' : 'bad_request';
    return failure(fault.status, code, fault.sentence, CLOSE);
  }
  if (!isLoopback || isHostAllowed(request.headers.host)) return undefined;
  return failure(421, 'wrong_host', 'Address this port by its IP address or as localhost.');
}

function listen(server: Server, options: HttpServerOptions): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.host, port: options.port }, () => {
      server.off('error', reject);
      // From here on an error is one of accepting, such as too many open files. Others may succeed.
      server.on('error', options.onAcceptError);
      resolve(server.address() as AddressInfo);
    });
  });
}

function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    // Node closes idle connections here, since version 19.
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
