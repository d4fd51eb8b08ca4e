import {
  adminRequest,
  killAll,
  launchGateway,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BRIEF_HISTORY, untilEmpty } from './until-empty.ts';

const IN_ORDER = { code: 0, signal: null };
const DRAIN_SECONDS = 2;

let hub: TestHub;

beforeEach(async () => {
  hub = await startHub(BRIEF_HISTORY);
});
afterEach(killAll);

async function openMembers(gateway: TestGateway, count: number, protocol?: string): Promise<TestClient[]> {
  const members = await Promise.all(
    Array.from({ length: count }, () =>
      TestClient.open(gateway.url, protocol === undefined ? {} : { protocol }),
    ),
  );
  for (const member of members) member.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
  await Promise.all(members.map((member) => member.reply('join')));
  return members;
}

async function isReady(gateway: TestGateway): Promise<boolean> {
  try {
    return (await adminRequest(gateway.adminPort, '/readyz')).status === 200;
  } catch {
    return false;
  }
}

function untilNoWorkerIsLeft(gateway: TestGateway): Promise<unknown> {
  return until(
    () => gateway.process.descendants(),
    'the end of all workers',
    (pids) => pids.length === 0,
  );
}

test('SIGTERM of a gateway closes its clients over the window, each with a code, and exits with 0', async () => {
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: DRAIN_SECONDS });
  const plain = await openMembers(gateway, 10);
  const v1 = await openMembers(gateway, 10, 'groupcast.v1');
  const closedAt: number[] = [];
  for (const { closed } of [...plain, ...v1]) void closed.then(() => closedAt.push(performance.now()));

  const stopped = gateway.stop();
  for (const { closed } of [...plain, ...v1]) {
    expect(await closed).toEqual({
      code: 1001,
      reason: 'The server is shutting down. Connect again.',
    });
    expect(await isReady(gateway)).toBe(false);
  }
  expect(await stopped).toEqual(IN_ORDER);
  // Each worker closes its own half of them, evenly: at least the first and the last of ten are a
  // good part apart.
  expect(Math.max(...closedAt) - Math.min(...closedAt)).toBeGreaterThan((DRAIN_SECONDS * 1_000) / 2);

  for (const client of plain) expect(client.messages.all).toHaveLength(1);
  for (const client of v1) {
    const { json } = client.messages.all.at(-1)!;
    expect(json).toMatchObject({ type: 'disconnect', code: 1001, reconnect: true });
    expect(json!['reconnect_after_ms']).toBeGreaterThanOrEqual(0);
    expect(json!['reconnect_after_ms']).toBeLessThanOrEqual(DRAIN_SECONDS * 1_000);
  }
  await untilNoWorkerIsLeft(gateway);
  await untilEmpty(hub);
});

// A delay that a busy machine does not outlast before the test has looked.
const DELAY_SECONDS = 5;

test.each(['up', 'down'])(
  'SIGTERM with the hub %s: not ready, then no port, then the first close, then exit 0',
  async (hubIs) => {
    const drain = { drainDelaySeconds: DELAY_SECONDS, drainSeconds: DRAIN_SECONDS };
    const gateway = await startGateway({ hub: hub.address, workers: 2, ...drain });
    if (hubIs === 'down') await hub.kill();
    const clients = await Promise.all(Array.from({ length: 10 }, () => TestClient.open(gateway.url)));
    let closed = 0;
    for (const client of clients) void client.closed.then(() => closed++);

    expect(await adminRequest(gateway.port, '/healthz')).toEqual({ status: 200, body: 'ok\n' });
    const stopped = gateway.stop();
    await until(async () => !(await isReady(gateway)), 'the end of the readiness');
    // The port itself says so, too, on each worker, and load balancers may look at either.
    for (let look = 0; look < 4; look++) {
      expect(await adminRequest(gateway.port, '/healthz')).toEqual({ status: 503, body: 'draining\n' });
    }
    // Load balancers have not seen it yet: who is sent here is served.
    const late = await TestClient.open(gateway.url);
    late.sendCommand({ cmd: 'ping', id: 1 });
    expect(await late.reply(1)).toEqual({ type: 'ack', id: 1 });
    expect(closed).toBe(0);

    const first = await Promise.race([late, ...clients].map((client) => client.closed));
    // On no worker: with one that still listened, some of these would get through.
    for (let connect = 0; connect < 4; connect++) {
      await expect(TestClient.open(gateway.url)).rejects.toThrow('ECONNREFUSED');
    }
    expect(first.code).toBe(1001);
    for (const client of [late, ...clients]) expect((await client.closed).code).toBe(1001);
    expect(await stopped).toEqual(IN_ORDER);
    await untilNoWorkerIsLeft(gateway);
  },
);

test('SIGTERM of the hub exits with 0, and so does SIGTERM of the gateway while the hub is away', async () => {
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0 });
  const [client] = await openMembers(gateway, 1);
  expect(await hub.stop()).toEqual(IN_ORDER);
  await until(
    async () => (await gateway.stats()).workers,
    'links to the hub that are lost',
    (workers) => workers.length === 2 && workers.every((worker) => worker.hub.state !== 'open'),
  );
  client!.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: 'for no member' });
  expect(await gateway.stop()).toEqual(IN_ORDER);
  expect((await client!.closed).code).toBe(1001);
  await untilNoWorkerIsLeft(gateway);
});

test('a second SIGINT ends a gateway that drains at once, with 130, and its workers', async () => {
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 600 });
  await openMembers(gateway, 4);
  gateway.process.kill('SIGINT');
  await gateway.process.waitForLine(/draining/);
  let exited = false;
  void gateway.process.exited.then(() => {
    exited = true;
  });
  // One right after the first counts as the same key press.
  await until(() => {
    if (!exited) gateway.process.kill('SIGINT');
    return exited;
  }, 'the end of the gateway');
  expect(await gateway.process.exited).toEqual({ code: 130, signal: null });
  await untilNoWorkerIsLeft(gateway);
});

test('Ctrl-C in a terminal, which signals every process of a gateway, drains it all the same', async () => {
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0 });
  const members = await openMembers(gateway, 4);
  process.kill(-gateway.process.pid, 'SIGINT');
  for (const { closed } of members) expect((await closed).code).toBe(1001);
  expect(await gateway.process.exited).toEqual(IN_ORDER);
  await untilNoWorkerIsLeft(gateway);
});

// Holds a worker in the middle of its loading until it is told to go on.
const HOLD_WORKER = `import cluster from 'node:cluster';
if (cluster.isWorker) await new Promise((goOn) => {
  const alive = setInterval(() => {}, 1_000);
  process.once('SIGUSR2', () => { clearInterval(alive); goOn(); });
  console.error('held ' + process.pid);
});`;

test('SIGTERM while a worker of a gateway still loads ends it after that, and it never listens', async () => {
  const code = `data:text/javascript,${encodeURIComponent(HOLD_WORKER)}`;
  const env = { NODE_OPTIONS: `--import=${code}` };
  const gateway = await launchGateway({ hub: hub.address, drainSeconds: 600 }, { env });
  const held = await gateway.process.waitForLine(/^held \d+$/);
  gateway.process.kill('SIGTERM');
  await gateway.process.waitForLine(/draining/);
  process.kill(Number(held.slice('held '.length)), 'SIGUSR2');
  expect(await gateway.process.finished).toEqual(IN_ORDER);
  expect(gateway.process.stdout).toBe('');
  expect(gateway.process.stderr).not.toContain('worker listens');
});
