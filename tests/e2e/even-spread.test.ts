import { killAll, startGateway, startHub, TestClient, type TestGateway, until } from '@groupcast/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { statsOfAll } from './stats-of-all.ts';

const AT_ONCE = 50;

afterEach(killAll);

async function start(workers: number): Promise<TestGateway> {
  const hub = await startHub();
  return startGateway({ hub: hub.address, workers, handshakesPerSecond: 0 });
}

/** Connects clients, so many at once. */
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
    // Of those that come at once a worker may take several before it can be told that it is ahead: the next ones make up for
    // it, as many for each of eight workers as one may be ahead.
    await arrive(gateway, 4 * AT_ONCE, 1);
    expectEven(await connectionsOf(gateway, workers));
  });
});

test('the successor of a worker that was killed takes more than its share, until all are level', async () => {
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
