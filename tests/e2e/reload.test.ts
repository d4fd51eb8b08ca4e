import {
  adminRequest,
  type ClientClose,
  killAll,
  RawSocket,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { statsOfAll } from './stats-of-all.ts';
import { BRIEF_HISTORY, untilEmpty } from './until-empty.ts';

const RESTART = { code: 1012, reason: 'The server restarts. Connect again.' };

/** Those that knock without a pause are no herd to be held back here. */
const UNLIMITED = { handshakesPerSecond: 0 };

let hub: TestHub;

beforeEach(async () => {
  hub = await startHub(BRIEF_HISTORY);
});
afterEach(killAll);

/**
 * Does something again and again, until told to stop; resolves with how often, and rejects with the
 * first failure.
 */
function repeat(act: () => Promise<void>): { stop(): Promise<number> } {
  let stopped = false;
  let count = 0;
  const running = (async () => {
    for (; !stopped; count++) await act();
    return count;
  })();
  running.catch(() => {});
  return {
    stop: () => {
      stopped = true;
      return running;
    },
  };
}

/** A connect that is refused or reset, or a handshake that is answered 503, rejects. */
async function connectAndAsk(gateway: TestGateway): Promise<void> {
  const client = await TestClient.open(gateway.url);
  client.sendCommand({ cmd: 'ping', id: 1 });
  // Its worker may drain right now; then it is told so.
  const end = await Promise.race([client.reply(1), client.closed]);
  if ('code' in end) expect(end).toEqual(RESTART);
  await client.close();
}

async function expectReady(gateway: TestGateway): Promise<void> {
  expect(await adminRequest(gateway.adminPort, '/readyz')).toEqual({ status: 200, body: 'ready\n' });
}

test('while a gateway reloads three times, it is always ready and every connect succeeds', async () => {
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0.5, ...UNLIMITED });
  const loads = [
    repeat(() => connectAndAsk(gateway)),
    repeat(() => connectAndAsk(gateway)),
    repeat(() => connectAndAsk(gateway)),
    repeat(() => expectReady(gateway)),
  ];
  const seen = new Set<number>();
  for (let generation = 2; generation <= 4; generation++) {
    const { workers, reload } = await gateway.reload();
    expect(reload).toMatchObject({ generation, done: generation - 1, failed: 0 });
    for (const { pid } of workers) {
      expect(seen.has(pid)).toBe(false);
      seen.add(pid);
    }
  }
  for (const load of loads) expect(await load.stop()).toBeGreaterThan(10);
  const { restarts } = await statsOfAll(gateway, 2);
  expect(restarts).toBe(0);
  const left = gateway.process.descendants().filter((pid) => seen.has(pid));
  expect(left).toHaveLength(2);
  await untilEmpty(hub, gateway);
});

test('a worker that ends by SIGTERM is replaced, and every connect succeeds', async () => {
  const gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0, ...UNLIMITED });
  const loads = Array.from({ length: 6 }, () => repeat(() => connectAndAsk(gateway)));
  for (let kills = 1; kills <= 5; kills++) {
    const { workers } = await statsOfAll(gateway, 2);
    process.kill(workers[0]!.pid, 'SIGTERM');
    await until(
      async () => (await gateway.stats()).restarts,
      'the next worker',
      (restarts) => restarts === kills,
    );
  }
  for (const load of loads) expect(await load.stop()).toBeGreaterThan(10);
});

test('a handshake that is pending in a reload is accepted, and its client is moved as all others', async () => {
  const gateway = await startGateway({ hub: hub.address, drainSeconds: 2 });
  const slow = await RawSocket.open({ port: gateway.port });
  await slow.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n');
  // Keeps the old worker alive until its window ends; the server has accepted the slow one before
  // it.
  const members = [await TestClient.open(gateway.url), await TestClient.open(gateway.url)];
  const reloaded = gateway.reload();
  await Promise.race(members.map(({ closed }) => closed));
  await slow.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
  const head = await slow.waitFor((received) => received.includes('\r\n\r\n'));
  expect(head.toString('latin1')).toMatch(/^HTTP\/1\.1 101 /);
  // A close frame from the server: opcode 8, then the code 1012.
  await slow.waitFor((received) => received.includes(Buffer.from([0x03, 0xf4])));
  slow.end();
  for (const { closed } of members) expect(await closed).toEqual(RESTART);
  await reloaded;
});

const CLIENTS = 80;
const WORKERS = 2;
const DRAIN_SECONDS = 4;

test('a reload moves each client once, evenly over the windows of the workers one after another', async () => {
  const gateway = await startGateway({ hub: hub.address, workers: WORKERS, drainSeconds: DRAIN_SECONDS });
  const closesOf = Array.from({ length: CLIENTS }, (): ClientClose[] => []);
  const closedAtMs: number[] = [];
  const returnsInMs: number[] = [];
  const clients: TestClient[] = [];
  const connect = async (place: number): Promise<void> => {
    const client = await TestClient.open(gateway.url, { protocol: 'groupcast.v1' });
    clients[place] = client;
    client.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
    await client.reply('join');
    void client.closed.then(async (close) => {
      closesOf[place]?.push(close);
      if (close.code !== RESTART.code) return;
      closedAtMs.push(performance.now());
      returnsInMs.push(Number(client.messages.all.at(-1)?.json?.['reconnect_after_ms']));
      // Sooner than it was told to, which is the harder case: more workers are still to drain.
      await connect(place);
    });
  };
  for (let place = 0; place < CLIENTS; place++) await connect(place);
  const before = await statsOfAll(gateway, WORKERS);

  const reloading = gateway.reload();
  // All old workers take no more connections before the first of them drains: the second waits for
  // its turn with all its clients.
  const retired = await until(
    async () => (await gateway.stats()).workers,
    'a worker that drains',
    (workers) => workers.some(({ state }) => state === 'draining'),
  );
  expect(retired).toHaveLength(2 * WORKERS);
  const waiting = retired.filter(({ state }) => state === 'retired');
  expect(waiting.map(({ pid }) => pid)).toEqual([before.workers[1]!.pid]);
  expect(waiting[0]!.connections).toBe(before.workers[1]!.connections);

  const after = await reloading;
  await until(
    () => closedAtMs.length === CLIENTS && clients.length === CLIENTS,
    'the last client to be moved',
  );
  expect(closesOf).toEqual(Array.from({ length: CLIENTS }, () => [RESTART]));
  for (const ms of returnsInMs) expect(ms).toBeGreaterThanOrEqual(0);
  expect(after.workers.map(({ pid }) => pid)).not.toContain(before.workers[0]!.pid);

  const first = Math.min(...closedAtMs);
  const buckets = new Map<number, number>();
  for (const at of closedAtMs) {
    const second = Math.floor((at - first) / 1_000);
    buckets.set(second, (buckets.get(second) ?? 0) + 1);
  }
  // Planned is an eighth of them each second.
  for (const count of buckets.values()) expect(count).toBeLessThanOrEqual(CLIENTS / 4);
  // Nor do they all come back at the same moment.
  expect(new Set(returnsInMs).size).toBeGreaterThan(CLIENTS / 4);

  const total = await until(
    async () => (await gateway.stats()).connections,
    'all clients to be back',
    (count) => count === CLIENTS,
  );
  expect(total).toBe(CLIENTS);
  const text = 'to all of them, on workers that were not there before';
  clients[0]!.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: text });
  await Promise.all(clients.map((client) => client.nextMatching(({ json }) => json?.['message'] === text)));
});
