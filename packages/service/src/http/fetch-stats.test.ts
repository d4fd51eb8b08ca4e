import { afterEach, expect, test } from 'vitest';
import { createAdminServer } from './admin-server.ts';
import { fetchStats } from './fetch-stats.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(stats: object): Promise<number> {
  const server = createAdminServer({
    host: '127.0.0.1',
    port: 0,
    ready: () => ({ ready: true }),
    metrics: async () => ({ contentType: 'text/plain', body: '' }),
    routes: { '/api/v1/stats': async () => stats },
    onError: () => {},
  });
  const { port } = await server.listen();
  cleanups.push(() => server.close());
  return port;
}

test('the stats of the expected service', async () => {
  const port = await serve({ service: 'groupcast-hub', sessions: 2 });
  expect(await fetchStats('127.0.0.1', port, 'groupcast-hub')).toEqual({
    service: 'groupcast-hub',
    sessions: 2,
  });
});

test.each([{ service: 'groupcast-gateway', workers: [] }, {}, []])(
  'another service is told apart: %j',
  async (stats) => {
    const port = await serve(stats);
    await expect(fetchStats('127.0.0.1', port, 'groupcast-hub')).rejects.toMatchObject({
      code: 'bad_answer',
      message: `127.0.0.1:${port} is not the admin port of groupcast-hub; --admin-host and --admin-port say where to ask.`,
    });
  },
);
