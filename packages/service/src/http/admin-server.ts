import { answer, CLOSE, failure, json, text } from './answer.ts';
import { createHttpServer, type HttpServer } from './http-server.ts';

export interface AdminServerOptions {
  readonly host: string;
  /** Port to listen on. 0 chooses a free one, which `listen` returns. */
  readonly port: number;
  /**
   * Returns whether the service can do its work now, and the reason that is shown when it cannot.
   */
  readonly ready: () => { readonly ready: boolean; readonly reason?: string };
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
  /** Handlers that answer a GET with JSON, by their paths. */
  readonly routes: Readonly<Record<string, () => Promise<object>>>;
  /** Called when a handler failed or exceeded its deadline; the client gets only a code. */
  readonly onError: (error: unknown, path: string) => void;
}

/**
 * Time for a handler, in milliseconds. One that asks other processes may wait for one that hangs.
 */
const HANDLER_DEADLINE_MS = 10_000;

/**
 * Serves `/healthz`, `/readyz`, `/metrics` and the JSON routes to GET and HEAD. It has no login:
 * any client that reaches the port may read it, so keep it on loopback or a private network.
 */
export function createAdminServer(options: AdminServerOptions): HttpServer {
  const handlers = new Map<string, () => Promise<Response>>([
    ['/healthz', async () => text(200, 'ok')],
    ['/readyz', async () => readiness(options.ready())],
    ['/metrics', async () => metrics(await options.metrics())],
  ]);
  for (const [path, route] of Object.entries(options.routes)) {
    handlers.set(path, async () => json(200, await route()));
  }
  const onAcceptError = (error: Error): void => options.onError(error, 'accept');
  return createHttpServer({ ...options, onAcceptError }, (app) => {
    for (const [path, handler] of handlers) {
      app.get(path, async () => {
        try {
          return await withDeadline(handler());
        } catch (error) {
          options.onError(error, path);
          return failure(500, 'internal', 'The request failed; the log of the service has the reason.');
        }
      });
      app.all(path, () =>
        failure(405, 'method_not_allowed', 'Use GET or HEAD.', { Allow: 'GET, HEAD', ...CLOSE }),
      );
    }
    const paths = [...handlers.keys()].join(', ');
    app.notFound(() => failure(404, 'not_found', `The paths are ${paths}.`));
  });
}

function readiness({ ready, reason }: ReturnType<AdminServerOptions['ready']>): Response {
  return ready ? text(200, 'ready') : text(503, reason ?? 'not ready');
}

function metrics({ contentType, body }: { contentType: string; body: string }): Response {
  return answer(200, contentType, body);
}

async function withDeadline<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    const late = (): void => reject(new Error(`No answer within ${HANDLER_DEADLINE_MS} ms.`));
    timer = setTimeout(late, HANDLER_DEADLINE_MS);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
