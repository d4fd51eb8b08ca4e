import {
  type ClientClose,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openOnAll } from './open-on-all.ts';
import { statsOfAll } from './stats-of-all.ts';
import { BRIEF_HISTORY, untilEmpty } from './until-empty.ts';

const WORKERS = 3;
const CLIENTS = 12;

let hub: TestHub;
let gateway: TestGateway;
let victim: number;
const clients = new Set<TestClient>();
const closes: ClientClose[] = [];

async function openMember(): Promise<TestClient> {
  const client = await TestClient.open(gateway.url);
  clients.add(client);
  void client.closed.then((close) => {
    clients.delete(client);
    closes.push(close);
  });
  client.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
  await client.reply('join');
  return client;
}

async function expectAllToGet(message: string): Promise<void> {
  const [sender] = clients;
  sender!.sendCommand({ cmd: 'send_to_group', group_id: 'room', message });
  await Promise.all([...clients].map((client) => client.nextMatching(({ text }) => text === message)));
}

beforeAll(async () => {
  hub = await startHub(BRIEF_HISTORY);
  gateway = await startGateway({ hub: hub.address, workers: WORKERS });
  await openOnAll(gateway, WORKERS, CLIENTS, openMember);
});
afterAll(killAll);

test('kill -9 of a worker cuts its own clients and no others, who go on', async () => {
  await expectAllToGet('before');
  const { size } = clients;
  const { workers } = await statsOfAll(gateway, WORKERS);
  const { pid, connections } = workers[1]!;
  expect(connections).toBeGreaterThan(0);
  victim = pid;
  process.kill(victim, 'SIGKILL');
  await until(
    () => closes.length,
    'the clients of the worker to be cut',
    (count) => count === connections,
  );
  await expectAllToGet('after');
  expect(clients.size).toBe(size - connections);
  expect(closes).toHaveLength(connections);
});

test('the next worker takes its place, and serves', async () => {
  const before = new Set(clients);
  const { workers } = await statsOfAll(gateway, WORKERS);
  expect(workers.map(({ pid }) => pid)).not.toContain(victim);
  expect(gateway.process.descendants()).not.toContain(victim);
  // Whichever worker died, all take new clients again.
  await openOnAll(gateway, WORKERS, CLIENTS, openMember);
  const stats = await statsOfAll(gateway, WORKERS);
  expect(stats.restarts).toBe(1);
  expect(stats.workers.every((worker) => worker.connections > 0)).toBe(true);
  await expectAllToGet('again');
  expect([...before].every((client) => clients.has(client))).toBe(true);
});

test('nothing is left when all have left', async () => {
  await Promise.all([...clients].map((client) => client.close()));
  await untilEmpty(hub, gateway);
});
