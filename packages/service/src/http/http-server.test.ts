import { afterEach, expect, test } from 'vitest';
import { createHttpServer, type HttpServer, type Routes } from './http-server.ts';

let server: HttpServer | undefined;

async function start(addRoutes: (app: Routes) => void): Promise<string> {
  server = createHttpServer({ host: '127.0.0.1', port: 0, onAcceptError: () => {} }, addRoutes);
  const { port } = await server.listen();
  return `http://127.0.0.1:${port}`;
}

afterEach(() => server?.close());

test('a name in a path may have 1,024 characters that are all encoded', async () => {
  const url = await start((app) =>
    app.get('/groups/:name', (context) => context.text(context.req.param('name'))),
  );
  for (const name of ['x'.repeat(1_024), '/'.repeat(1_024), 'é'.repeat(512)]) {
    const response = await fetch(`${url}/groups/${encodeURIComponent(name)}`);
    expect([response.status, await response.text()]).toEqual([200, name]);
  }
});

test('routes run behind the checks of the server, and not the other way round', async () => {
  let calls = 0;
  const url = await start((app) => app.all('*', (context) => context.text(String(++calls))));
  const headers = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, '']));
  expect((await fetch(url, { headers })).status).toBe(431);
  expect(calls).toBe(0);
});

test('the globals Request and Response stay those of Node', async () => {
  const before = [globalThis.Request, globalThis.Response];
  await start((app) => app.get('/', (context) => context.text('')));
  expect([globalThis.Request, globalThis.Response]).toEqual(before);
});
