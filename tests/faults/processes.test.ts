import { TestClient, until } from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import { hubKill, hubPause, hubRestart, primaryKill, reload, workerKill } from './inject/process-faults.ts';
import { SMALL_LOAD } from './load/load.ts';
import { runOn } from './run.ts';

// Heartbeat of the hub in seconds: after three silent intervals it is considered dead.
const HEARTBEAT_SECONDS = 1;
const WORKERS = 2;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ workers: WORKERS, hub: { heartbeatSeconds: HEARTBEAT_SECONDS } });
});
afterAll(() => cluster.close());

const MEMBERSHIPS = SMALL_LOAD.members * SMALL_LOAD.groupsPerMember;

test('F1: kill -9 of a worker: its clients resume, the others are unaffected', async () => {
  let connectionsOfVictim = 0;
  const report = await runOn(cluster, async (context) => {
    const before = (await cluster.first.gateway.stats()).workers;
    await workerKill().inject(context);
    const after = (await cluster.first.gateway.stats()).workers.map(({ pid }) => pid);
    const victims = before.filter(({ pid }) => !after.includes(pid));
    expect(victims).toHaveLength(1);
    connectionsOfVictim = victims[0]!.connections;
  });
  expectValid(report);
  const { counts } = report.verdict;
  const cut = report.closes.get(1006) ?? 0;
  // Pure publishers and the sender of the last messages have connections as well.
  const publishersOnly = SMALL_LOAD.publishers - SMALL_LOAD.publishingMembers + 1;
  expect(cut).toBeGreaterThan(0);
  expect(cut).toBeLessThanOrEqual(connectionsOfVictim);
  expect(cut).toBeGreaterThanOrEqual(connectionsOfVictim - publishersOnly);
  expect([...report.closes.keys()]).toEqual([1006]);
  expect(counts.recovered).toBe(cut * SMALL_LOAD.groupsPerMember);
  expect(counts.notRecovered.size).toBe(0);
});

test('F2: kill -9 of the primary: every client gets a close code, and resumes at the next', async () => {
  const report = await runOn(cluster, (context) => primaryKill().inject(context));
  expectValid(report);
  expect(report.closes).toEqual(new Map([[1012, SMALL_LOAD.members]]));
  expect(report.verdict.counts.recovered).toBe(MEMBERSHIPS);
});

test('F3: kill -9 of the hub: no client is closed, and each is told that the epoch changed', async () => {
  const report = await runOn(cluster, (context) => hubKill().inject(context));
  expectValid(report);
  expect(report.closes.size).toBe(0);
  expect(report.verdict.counts.notRecovered).toEqual(new Map([['epoch_changed', MEMBERSHIPS]]));
});

describe('F5: the hub ends during many publishes', () => {
  const flood = {
    ...SMALL_LOAD,
    members: 8,
    groupsPerMember: 1,
    publishers: 24,
    publishesPerSecond: 1_000,
  };

  test.each([hubKill(0), hubRestart()])('$name: no order is lost, nothing is stored twice', async (fault) => {
    const report = await runOn(cluster, (context) => fault.inject(context), { load: flood });
    expectValid(report);
    expect(report.closes.size).toBe(0);
    expect(report.verdict.counts.acknowledged).toBeGreaterThan(500);
    expect(report.verdict.counts.unanswered).toBe(0);
  });
});

/**
 * Returns the number of links that the first gateway has made, once each of its workers has one:
 * after the last test some may be pending.
 */
async function settledLinks(): Promise<number> {
  const { gateway, link } = cluster.first;
  await until(
    () => gateway.stats(),
    'a link of each worker',
    ({ workers }) => workers.length === WORKERS && workers.every(({ hub }) => hub.state === 'open'),
  );
  return link.accepted;
}

test('F6: a hub that is stopped for less than the timeout keeps its links, and nothing is lost', async () => {
  const { link } = cluster.first;
  const links = await settledLinks();
  const report = await runOn(cluster, (context) => hubPause(2 * HEARTBEAT_SECONDS * 1_000).inject(context));
  expectValid(report);
  expect(link.accepted).toBe(links);
  expect(report.closes.size).toBe(0);
  expect(report.verdict.counts.notRecovered.size).toBe(0);
  expect(report.verdict.counts.acknowledged).toBe(report.verdict.counts.invoked);
});

test('F7: a hub that is stopped for longer is left, and delivers nothing old when it continues', async () => {
  const { link } = cluster.first;
  const links = await settledLinks();
  const report = await runOn(cluster, (context) => hubPause(5 * HEARTBEAT_SECONDS * 1_000).inject(context));
  expectValid(report);
  expect(link.accepted).toBeGreaterThan(links);
  expect(report.closes.size).toBe(0);
  expect(report.verdict.counts.notRecovered.size).toBe(0);
});

test('F12: a rolling reload under load: every client moves once, and nothing is lost', async () => {
  const report = await runOn(cluster, (context) => reload().inject(context));
  expectValid(report);
  expect(report.closes).toEqual(new Map([[1012, SMALL_LOAD.members]]));
  expect(report.verdict.counts.recovered).toBe(MEMBERSHIPS);
  expect(report.verdict.counts.notRecovered.size).toBe(0);
});

test('F25: SIGTERM while the hub is down: every client is told, and the gateway exits with 0', async () => {
  const clients = await Promise.all(
    Array.from({ length: 10 }, () =>
      TestClient.open(cluster.first.gateway.url, { protocol: 'groupcast.v1' }),
    ),
  );
  for (const client of clients) {
    client.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
    await client.reply('join');
  }
  await cluster.hub.kill();
  await until(
    async () => (await cluster.first.gateway.stats()).workers.map(({ hub }) => hub.state),
    'workers without a hub',
    (states) => states.every((state) => state !== 'open'),
  );
  for (const client of clients) {
    client.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: 'into the void', id: 'sent' });
  }
  expect(await cluster.first.gateway.stop()).toEqual({ code: 0, signal: null });
  const closes = await Promise.all(clients.map((client) => client.closed));
  expect(closes.map(({ code }) => code)).toEqual(clients.map(() => 1001));
});
