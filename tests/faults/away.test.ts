import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import type { FaultContext } from './inject/fault.ts';
import { SMALL_LOAD } from './load/load.ts';
import { type RunReport, runOn } from './run.ts';

// The promise is 120 s; a test of it takes as long.
const HISTORY_SECONDS = 3;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ hub: { historySeconds: HISTORY_SECONDS } });
});
afterAll(() => cluster.close());

/**
 * Disconnects all clients for `awayMs` while other publishers send; then they may connect again.
 */
async function away(ms: number): Promise<RunReport> {
  const nowhere = `ws://127.0.0.1:${await freePort()}`;
  let isAway = false;
  const { url } = cluster.first.gateway;
  const leave = async ({ load, log }: FaultContext): Promise<void> => {
    const prove = log.addFault('all members away');
    isAway = true;
    const sockets = load.members.flatMap(({ tap }) => [...tap.sockets]);
    for (const socket of sockets) socket.terminate();
    await delay(ms);
    isAway = false;
    prove(`${sockets.length} connections`);
    await load.untilJoined();
  };
  // Pure publishers have connections of their own, and stay.
  return runOn(cluster, leave, { url: () => (isAway ? nowhere : url) });
}

const MEMBERSHIPS = SMALL_LOAD.members * SMALL_LOAD.groupsPerMember;

test('clients that return while history is kept get exactly the messages that they missed', async () => {
  const report = await away((HISTORY_SECONDS * 1_000) / 3);
  expectValid(report);
  expect(report.verdict.counts.recovered).toBe(MEMBERSHIPS);
  expect(report.verdict.counts.notRecovered.size).toBe(0);
});

test('clients that return later get a gap with its reason, each time, and no missed message', async () => {
  const report = await away(HISTORY_SECONDS * 1_000 * 2);
  expectValid(report);
  expect(report.verdict.counts.recovered).toBe(0);
  expect(report.verdict.counts.notRecovered).toEqual(new Map([['trimmed', MEMBERSHIPS]]));
});
