import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type AdminServerOptions, createAdminServer } from './admin-server.ts';
import { fetchAdmin } from './fetch-admin.ts';
import type { HttpServer } from './http-server.ts';

const state = { ready: true };
const errors: [unknown, string][] = [];
const servers: HttpServer[] = [];

async function start(
  options: Partial<AdminServerOptions> = {},
): Promise<{ server: HttpServer; port: number }> {
  const server = createAdminServer({
    host: '127.0.0.1',
    port: 0,
    ready: () => (state.ready ? { ready: true } : { ready: false, reason: 'draining' }),
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', body: 'up 1\n' }),
    routes: {
      '/api/v1/stats': async () => ({ sessions: 3 }),
      '/api/v1/broken': () => Promise.reject(new Error('canary')),
    },
    onError: (error, path) => void errors.push([error, path]),
    ...options,
  });
  servers.push(server);
  const { port } = await server.listen();
  return { server, port };
}

afterEach(async () => {
  state.ready = true;
  errors.length = 0;
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

/** Sends raw bytes and returns all that comes back until the server closes. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    socket.setEncoding('utf8').on('data', (part) => {
      answer += part;
    });
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

describe('served requests', () => {
  test('health, readiness with its reason, metrics and JSON, which no cache keeps', async () => {
    const { port } = await start();
    const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${path}`);
    const health = await get('/healthz');
    expect([health.status, await health.text()]).toEqual([200, 'ok\n']);
    expect(health.headers.get('cache-control')).toBe('no-store');
    expect(health.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await get('/readyz')).status).toBe(200);
    state.ready = false;
    const unready = await get('/readyz');
    expect([unready.status, await unready.text()]).toEqual([503, 'draining\n']);
    const metrics = await get('/metrics?x=1');
    expect([metrics.headers.get('content-type'), await metrics.text()]).toEqual([
      'text/plain; version=0.0.4',
      'up 1\n',
    ]);
    expect(await (await get('/api/v1/stats')).json()).toEqual({ sessions: 3 });
  });

  test('HEAD returns the headers alone', async () => {
    const { port } = await start();
    const answer = await raw(port, 'HEAD /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\ncontent-length: 3\r\n/i);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });
});

describe('rejected requests', () => {
  test.each([
    ['GET', '/nothing', 404, 'not_found'],
    ['GET', '/__proto__', 404, 'not_found'],
    ['GET', '/healthz/', 404, 'not_found'],
    ['POST', '/healthz', 405, 'method_not_allowed'],
    ['DELETE', '/api/v1/stats', 405, 'method_not_allowed'],
    ['GET', '/api/v1/broken', 500, 'internal'],
  ])('%s %s is %d %s', async (method, path, status, code) => {
    const { port } = await start();
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    const body = await response.json();
    expect([response.status, body]).toEqual([status, { error: { code, message: expect.any(String) } }]);
    expect(JSON.stringify(body)).not.toContain('canary');
    expect(errors).toEqual(status === 500 ? [[new Error('canary'), path]] : []);
  });

  test('a handler that throws at once, and metrics that fail, are 500 as well', async () => {
    const fail = (): never => {
      throw new Error('canary');
    };
    const { port } = await start({ ready: fail, metrics: fail });
    for (const path of ['/readyz', '/metrics']) {
      expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(500);
    }
    expect(errors.map(([, path]) => path)).toEqual(['/readyz', '/metrics']);
  });

  test('a name of another host on loopback, but not a missing one, which no browser sends', async () => {
    const { port } = await start();
    const request = (host: string): Promise<string> =>
      raw(port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(await request('evil.example')).toMatch(/^HTTP\/1.1 421 .*"wrong_host"/s);
    expect(await request(`localhost:${port}`)).toMatch(/^HTTP\/1.1 200 /);
    expect(await raw(port, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  test('a server on all addresses accepts any name', async () => {
    const { port } = await start({ host: '0.0.0.0' });
    const answer = await raw(
      port,
      'GET /healthz HTTP/1.1\r\nHost: hub.internal\r\nConnection: close\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });

  test.each([
    ['headers beyond the limit', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`, 431],
    [
      'more header lines than are allowed',
      `GET / HTTP/1.1\r\nHost: localhost\r\n${'x:\r\n'.repeat(100)}\r\n`,
      431,
    ],
    ['no Host in HTTP/1.1', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
    ['two Hosts', 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n', 400],
    ['an invalid Host', 'GET /healthz HTTP/1.1\r\nHost: local host\r\n\r\n', 400],
    ['a Host with a path', 'GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
    ['an invalid target', 'GET /a\\b HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['no HTTP', 'a:1:{i:0;i:0;}\r\n\r\n', 400],
  ])('%s', async (_name, text, status) => {
    const { port } = await start();
    const answer = await raw(port, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    // Node's own parser answers without a body.
    if (text.length < 9_000 && text.startsWith('GET')) {
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      expect(answer).toMatch(/\{"error":\{"code":"(?:bad_request|headers_too_many)","message":"/);
    }
  });

  test.each(['[0:0:0:0:0:0:0:1]', '[::1]:2207', '127.0.0.1:65535'])('the Host %s', async (host) => {
    const { port } = await start();
    const answer = await raw(port, `GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
  });
});

/** Makes a route that answers when the test calls `answer`, or never. */
function hangingRoute(): {
  route(): Promise<object>;
  readonly asked: Promise<void>;
  answer(value: object): void;
} {
  let answer: (value: object) => void = () => {};
  let ask: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const answered = new Promise<object>((resolve) => {
    answer = resolve;
  });
  const route = (): Promise<object> => {
    ask();
    return answered;
  };
  return { route, asked, answer: (value) => answer(value) };
}

test('a handler that hangs gets 500 after its deadline', async () => {
  const { route, asked } = hangingRoute();
  const { port } = await start({ routes: { '/hangs': route } });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const response = raw(port, 'GET /hangs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await asked;
    vi.advanceTimersByTime(10_000);
    expect(await response).toMatch(/^HTTP\/1.1 500 .*"internal"/s);
  } finally {
    vi.useRealTimers();
  }
  expect(errors).toEqual([[new Error('No answer within 10000 ms.'), '/hangs']]);
});

describe('connections without a request', () => {
  async function silent(port: number): Promise<{ socket: Socket; closed: Promise<unknown> }> {
    const socket = connect(port, '127.0.0.1');
    const closed = new Promise((resolve) =>
      socket
        .resume()
        .on('error', () => {})
        .once('close', resolve),
    );
    await new Promise((resolve) => socket.once('connect', resolve));
    return { socket, closed };
  }

  test('leave room for a health check: beyond 64 the oldest is closed', async () => {
    const { port } = await start();
    const idle = [];
    for (let count = 0; count < 64; count++) idle.push(await silent(port));
    const answer = await raw(port, 'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    await idle[0]?.closed;
    expect(idle.slice(1).filter(({ socket }) => socket.closed)).toEqual([]);
    for (const { socket } of idle) socket.destroy();
  });

  test('count as idle after a response; requests in progress stay, and then the new connection is closed', async () => {
    const { route, asked, answer } = hangingRoute();
    const { port } = await start({ routes: { '/slow': route } });
    const busy: Promise<string>[] = [];
    const ask = 'GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    for (let count = 0; count < 63; count++) busy.push(raw(port, ask));
    await asked;
    const answered = await silent(port);
    answered.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => answered.socket.once('data', resolve));
    busy.push(raw(port, ask));
    await answered.closed;
    const tooMuch = await silent(port);
    await tooMuch.closed;
    answer({ done: true });
    for (const text of await Promise.all(busy)) expect(text).toContain('"done":true');
  });

  test('are closed without a header after 2 s, well before the 10 s of a request', async () => {
    const { port } = await start();
    const openedMs = performance.now();
    expect(await raw(port, 'GET /healthz HTT')).toMatch(/^HTTP\/1.1 408 /);
    expect(performance.now() - openedMs).toBeLessThan(9_000);
  });
});

describe('closing', () => {
  async function keepAlive(port: number): Promise<Socket> {
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    return socket;
  }

  test('ends idle connections at once, and may be called twice', async () => {
    const { server, port } = await start();
    const socket = await keepAlive(port);
    const ended = new Promise((resolve) => socket.once('close', resolve));
    // Time stands still, so the grace for requests in progress cannot end them.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      await server.close();
      await ended;
    } finally {
      vi.useRealTimers();
    }
    await server.close();
    await expect(fetchAdmin('127.0.0.1', port, '/api/v1/stats', 'groupcast-hub')).rejects.toMatchObject({
      code: 'unreachable',
    });
  });

  test('waits for a request in progress, and ends its connection with it', async () => {
    const { route, asked, answer } = hangingRoute();
    const { server, port } = await start({ routes: { '/slow': route } });
    const response = raw(port, 'GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await asked;
    const closed = server.close();
    answer({ late: true });
    expect(await response).toMatch(/connection: close.*"late":true/is);
    await closed;
  });

  test('does not wait for one that never finishes', async () => {
    const { route, asked } = hangingRoute();
    const { server, port } = await start({ routes: { '/never': route } });
    const response = raw(port, 'GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await asked;
    await server.close();
    expect(await response).toBe('');
  });
});

test('a port in use rejects with the error of Node', async () => {
  const { port } = await start();
  await expect(start({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
