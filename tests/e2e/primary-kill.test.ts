import { killAll, startGateway, startHub, TestClient, until } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';
import { BRIEF_HISTORY, untilEmpty } from './until-empty.ts';

const CLIENTS = 20;

afterEach(killAll);

test('kill -9 of the primary: each client is told to come back, no worker is left, the port is free at once', async () => {
  const hub = await startHub(BRIEF_HISTORY);
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 60 });
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, index) =>
      TestClient.open(gateway.url, index % 2 === 0 ? {} : { protocol: 'groupcast.v1' }),
    ),
  );
  for (const client of clients) client.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
  await Promise.all(clients.map((client) => client.reply('join')));
  await gateway.kill();

  // The orphans may still be closing their clients while the next gateway starts.
  const [next, closes] = await Promise.all([
    startGateway({ hub: hub.address, workers: 2, port: gateway.port, adminPort: gateway.adminPort }),
    Promise.all(clients.map((client) => client.closed)),
  ]);
  for (const close of closes) {
    expect(close).toEqual({ code: 1012, reason: 'The server restarts. Connect again.' });
  }
  for (const client of clients.filter(({ protocol }) => protocol !== '')) {
    expect(client.messages.all.at(-1)?.json).toMatchObject({
      type: 'disconnect',
      code: 1012,
      reconnect: true,
    });
  }
  await until(
    () => gateway.process.descendants(),
    'the end of all orphans',
    (pids) => pids.length === 0,
  );

  const client = await TestClient.open(next.url);
  client.sendCommand({ cmd: 'add_group', group_id: 'room' });
  client.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: 'on the next gateway' });
  expect((await client.next()).text).toBe('on the next gateway');
  await client.close();
  await untilEmpty(hub, next);
});

/** Promised from the primary's death on, in milliseconds. */
const ORPHANS_MS = 3_000;

test('kill -9 of the primary in a reload: workers that drain, and those that wait for it, close their clients as soon', async () => {
  const hub = await startHub(BRIEF_HISTORY);
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 60 });
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => TestClient.open(gateway.url)));
  gateway.process.kill('SIGHUP');
  await until(
    async () => (await gateway.stats()).workers.map(({ state }) => state),
    'an old worker that drains and one that waits',
    (states) => states.includes('draining') && states.includes('retired'),
  );
  const killedAtMs = performance.now();
  await gateway.kill();
  const closes = await Promise.all(clients.map((client) => client.closed));
  expect(performance.now() - killedAtMs).toBeLessThan(ORPHANS_MS);
  for (const { code } of closes) expect(code).toBe(1012);
  await until(
    () => gateway.process.descendants(),
    'the end of all orphans',
    (pids) => pids.length === 0,
  );
});

// Stands for a defect of ours that nothing catches.
const CRASH_ON_SIGUSR2 = `import cluster from 'node:cluster';
if (cluster.isPrimary) process.on('SIGUSR2', () => { throw new Error('a defect'); });`;

test('a primary that crashes leaves its workers time to tell each client to reconnect', async () => {
  const hub = await startHub(BRIEF_HISTORY);
  const code = `data:text/javascript,${encodeURIComponent(CRASH_ON_SIGUSR2)}`;
  const env = { NODE_OPTIONS: `--import=${code}` };
  const gateway = await startGateway({ hub: hub.address, workers: 2 }, { env });
  const clients = await Promise.all(Array.from({ length: 4 }, () => TestClient.open(gateway.url)));
  gateway.process.kill('SIGUSR2');
  for (const client of clients) expect((await client.closed).code).toBe(1012);
  expect(await gateway.process.exited).toEqual({ code: 1, signal: null });
  await until(
    () => gateway.process.descendants(),
    'the end of all orphans',
    (pids) => pids.length === 0,
  );
});
