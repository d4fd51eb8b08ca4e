import { killAll, startGateway, startHub, TestClient, type TestGateway, until } from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { statsOfAll } from './stats-of-all.ts';

const AT_ONCE = 50;

afterEach(killAll);

async function start(workers: number): Promise<TestGateway> {
  const hub = await startHub();
  return startGateway({ hub: hub.address, workers, handshakesPerSecond: 0 });
}

/** Connects `count` clients, `atOnce` at a time. */
async function arrive(gateway: TestGateway, count: number, atOnce: number): Promise<void> {
  for (let done = 0; done < count; done += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, () => TestClient.open(gateway.url)));
  }
}

async function connectionsOf(gateway: TestGateway, workers: number): Promise<readonly number[]> {
  return (await statsOfAll(gateway, workers)).workers.map(({ connections }) => connections);
}

/** As far from the mean as it may be: a tenth, or a few where there are few. */
function expectEven(connections: readonly number[]): void {
  const mean = connections.reduce((sum, count) => sum + count, 0) / connections.length;
  for (const count of connections)
    expect(Math.abs(count - mean)).toBeLessThanOrEqual(Math.max(16, mean / 10));
}

describe.each([2, 8])('over %i workers', (workers) => {
  test.each([AT_ONCE, 1])('800 clients, %i at once, are spread evenly', async (atOnce) => {
    const gateway = await start(workers);
    await arrive(gateway, 800, atOnce);
    await arrive(gateway, AT_ONCE, 1);
    expectEven(await connectionsOf(gateway, workers));
  });
});

test('the successor of a killed worker accepts more than its share, until all are level', async () => {
  const gateway = await start(2);
  await arrive(gateway, 400, AT_ONCE);
  const { workers } = await statsOfAll(gateway, 2);
  const killed = workers[0]!.pid;
  process.kill(killed, 'SIGKILL');
  await until(
    async () => (await gateway.stats()).workers.map(({ pid, state }) => (state === 'up' ? pid : undefined)),
    'the successor',
    (pids) => pids.length === 2 && !pids.includes(killed) && !pids.includes(undefined),
  );
  await arrive(gateway, 400, AT_ONCE);
  expectEven(await connectionsOf(gateway, 2));
});

test('a worker that drains by itself does not stop the others from accepting', async () => {
  const hub = await startHub();
  const gateway = await startGateway({
    hub: hub.address,
    workers: 2,
    handshakesPerSecond: 0,
    drainSeconds: 600,
  });
  await arrive(gateway, 20, 1);
  const { workers } = await statsOfAll(gateway, 2);
  process.kill(workers[0]!.pid, 'SIGTERM');
  await until(
    async () => (await gateway.stats()).workers.map(({ state }) => state),
    'the worker to drain',
    (states) => states.includes('draining'),
  );
  // Many more than one worker may be ahead of another.
  await arrive(gateway, 100, 1);
});

test('100 connections that open one after another reach each of 4 workers', async () => {
  const gateway = await start(4);
  await arrive(gateway, 100, 1);
  for (const count of await connectionsOf(gateway, 4)) expect(count).toBeGreaterThan(10);
});

test('the death of one of two workers never cuts all clients, not even where there are two', async () => {
  const gateway = await start(2);
  const clients = [await TestClient.open(gateway.url), await TestClient.open(gateway.url)];
  const cut: TestClient[] = [];
  for (const client of clients) void client.closed.then(() => cut.push(client));
  const { workers } = await statsOfAll(gateway, 2);
  expect(workers.map(({ connections }) => connections)).toEqual([1, 1]);
  process.kill(workers[0]!.pid, 'SIGKILL');
  await until(
    () => cut.length,
    'the client of the killed worker to be cut',
    (count) => count > 0,
  );
  const [left] = clients.filter((client) => !cut.includes(client));
  left!.sendCommand({ cmd: 'ping', id: 'still here' });
  await left!.reply('still here');
});
