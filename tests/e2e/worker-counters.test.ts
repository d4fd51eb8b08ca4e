import {
  adminRequest,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  until,
} from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';

afterEach(killAll);

const SENT = 5;

async function send(gateway: TestGateway): Promise<void> {
  const client = await TestClient.open(gateway.url);
  client.sendCommand({ cmd: 'add_group', group_id: 1 });
  for (let count = 0; count < SENT; count++) {
    client.sendCommand({ cmd: 'send_to_group', group_id: 1, message: `message ${count}` });
  }
  for (let count = 0; count < SENT; count++) await client.next();
}

/** Values of a counter by the number of the worker. */
async function counter(gateway: TestGateway, name: string): Promise<Record<string, number>> {
  const { body } = await adminRequest(gateway.adminPort, '/metrics');
  const samples = body.matchAll(new RegExp(`^groupcast_gateway_${name}{worker="(\\d+)"} (\\d+)$`, 'gm'));
  return Object.fromEntries([...samples].map(([, worker, value]) => [worker, Number(value)]));
}

test('a reload keeps the numbers of the workers, and what the old ones have counted since the last scrape', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address, drainSeconds: 0 });
  for (const reloads of [1, 2]) {
    // Not scraped in between.
    await send(gateway);
    await gateway.reload();
    expect(await counter(gateway, 'published_total')).toEqual({ 0: reloads * SENT });
    expect(await counter(gateway, 'accepted_total')).toEqual({ 0: reloads });
    expect(await counter(gateway, 'connections')).toEqual({ 0: 0 });
  }
  const stats = await gateway.stats();
  expect(stats.workers).toHaveLength(1);
  expect(stats['received']).toBe(2 * (SENT + 1));
});

test('the counters of a worker that dies continue from its last report', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address });
  await send(gateway);
  const [worker] = (await gateway.stats()).workers;
  process.kill(worker?.pid ?? 0, 'SIGKILL');
  await until(
    async () => (await gateway.stats()).workers,
    'the next worker',
    ([next]) => next !== undefined && next.pid !== worker?.pid,
  );
  expect(await counter(gateway, 'published_total')).toEqual({ 0: SENT });
});

test('histograms have the durations of publishes and deliveries', async () => {
  const hub = await startHub();
  const gateway = await startGateway({ hub: hub.address });
  const client = await TestClient.open(gateway.url);
  client.sendCommand({ cmd: 'add_group', group_id: 1 });
  client.sendCommand({ cmd: 'send_to_group', group_id: 1, message: 'measured, as the first', id: 'a' });
  await client.next();
  await until(
    () => adminRequest(gateway.adminPort, '/metrics'),
    'a measured publish and a measured delivery',
    ({ body }) =>
      body.includes('groupcast_gateway_publish_duration_seconds_count{worker="0"} 1\n') &&
      body.includes('groupcast_gateway_delivery_duration_seconds_bucket{worker="0",le="+Inf"} 1\n'),
  );
  const [worker] = (await gateway.stats()).workers;
  expect(worker?.['publishDurations']).toMatchObject({ sumSeconds: expect.any(Number) });
});
