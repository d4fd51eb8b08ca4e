import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { fetchAdmin } from './fetch-admin.ts';

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function ask(port: number): Promise<unknown> {
  return fetchAdmin('127.0.0.1', port, '/api/v1/stats', 'groupcast-hub');
}

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

test('the JSON of the path', async () => {
  const port = await serve((request, response) => response.end(JSON.stringify({ path: request.url })));
  expect(await ask(port)).toEqual({ path: '/api/v1/stats' });
});

test('a closed port: the sentence names address, port and service', async () => {
  const port = await serve(() => {});
  const server = servers.pop();
  await new Promise((resolve) => server?.close(resolve));
  await expect(ask(port)).rejects.toMatchObject({
    code: 'unreachable',
    message: `Nothing answers on 127.0.0.1:${port}; is groupcast-hub running? --admin-host and --admin-port say where to ask.`,
    cause: { code: 'ECONNREFUSED' },
  });
});

test('another status: the sentence has the escaped body', async () => {
  const port = await serve((_request, response) => response.writeHead(503).end('\u001b[2Jnot now'));
  await expect(ask(port)).rejects.toMatchObject({
    code: 'bad_status',
    message: expect.stringContaining('status 503: \\x1b[2Jnot now'),
  });
});

test('a body that is not JSON', async () => {
  const port = await serve((_request, response) => response.end('<html>'));
  await expect(ask(port)).rejects.toMatchObject({ code: 'bad_answer' });
});

test('an endless response is cut off', async () => {
  const block = Buffer.alloc(1024 * 1024, ' ');
  const port = await serve((_request, response) => {
    const pour = (): void => {
      while (!response.destroyed && response.write(block));
    };
    response.on('drain', pour);
    pour();
  });
  await expect(ask(port)).rejects.toMatchObject({
    code: 'bad_answer',
    message: expect.stringContaining('more than'),
  });
});

test('a silent peer fails at the deadline', async () => {
  const silent = createTcpServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const connected = new Promise((resolve) => silent.once('connection', resolve));
  silent.on('connection', (socket) => socket.on('error', () => {}).resume());
  const address = silent.address();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const refused = expect(ask(typeof address === 'object' && address !== null ? address.port : 0)).rejects;
    const checked = refused.toMatchObject({
      code: 'timeout',
      message: expect.stringContaining('within 5 s'),
    });
    await connected;
    vi.advanceTimersByTime(5_000);
    await checked;
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
  await new Promise((resolve) => silent.close(resolve));
});
