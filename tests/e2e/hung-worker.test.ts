import { killAll, startGateway, startHub, type TestClient, until } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';
import { openOnAll } from './open-on-all.ts';
import { statsOfAll } from './stats-of-all.ts';

const WORKERS = 2;
const CLIENTS = 8;

afterEach(killAll);

test('a worker that hangs is killed after 15 s and replaced, while the other goes on', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address, workers: WORKERS });
  const clients = await openOnAll(gateway, WORKERS, CLIENTS);
  for (const client of clients) client.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
  await Promise.all(clients.map((client) => client.reply('join')));
  const { workers } = await statsOfAll(gateway, WORKERS);
  expect(Math.min(...workers.map(({ connections }) => connections))).toBeGreaterThan(0);
  const others = workers[1]!.connections;

  const hung = workers[0]!.pid;
  const stoppedAt = performance.now();
  process.kill(hung, 'SIGSTOP');
  // The stats come without the worker that cannot answer, and do not wait for it for long.
  await until(
    async () => (await gateway.stats()).workers.map(({ pid }) => pid),
    'stats of the other worker alone',
    (pids) => pids.length === 1 && pids[0] === workers[1]!.pid,
  );
  clients.forEach((client, index) => {
    client.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: `from ${index}` });
  });
  const got = (client: TestClient): number =>
    client.messages.rest.filter(({ text }) => text.startsWith('from')).length;
  await until(
    () => clients.filter((client) => got(client) === others).length,
    'the messages of those that are not on the hung worker, for all of them',
    (count) => count === others,
  );

  await gateway.process.waitForLine(/worker hangs and is killed/);
  // Its last sign of life came up to a second before it was stopped.
  expect(performance.now() - stoppedAt).toBeGreaterThan(14_000);
  const stats = await statsOfAll(gateway, WORKERS);
  expect(stats.restarts).toBe(1);
  expect(stats.workers.map(({ pid }) => pid)).not.toContain(hung);
  expect(stats.connections).toBe(others);
  expect(gateway.process.descendants()).not.toContain(hung);
});
