import { setTimeout as delay } from 'node:timers/promises';
import { TestClient } from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import { reload } from './inject/process-faults.ts';
import { SMALL_LOAD } from './load/load.ts';
import type { Member } from './load/member.ts';
import { mostWithin } from './most-within.ts';
import { runOn } from './run.ts';

/** Seconds of the drain of each worker. */
const DRAIN_SECONDS = 4;
const MEMBERS = 200;

/** Limit of connections within any second. */
const SHARE_MAX = 0.25;

/** Interval between connects, so that they cover every moment of a reload. */
const CONNECT_EVERY_MS = 5;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ workers: 2, gateway: { drainSeconds: DRAIN_SECONDS } });
});
afterAll(() => cluster.close());

/**
 * Connects and leaves, repeatedly. Resolves with the number of rounds when `isOver` holds; rejects
 * when a connection is rejected.
 */
async function keepConnecting(isOver: () => boolean): Promise<number> {
  let count = 0;
  while (!isOver()) {
    const client = await TestClient.open(cluster.first.gateway.url);
    count += 1;
    void client.close();
    await delay(CONNECT_EVERY_MS);
  }
  return count;
}

test('a reload under load rejects no connection, and spreads closes and reconnects', async () => {
  let connects = 0;
  let members: readonly Member[] = [];
  const report = await runOn(
    cluster,
    async (context) => {
      members = context.load.members;
      let isOver = false;
      const connecting = keepConnecting(() => isOver);
      await Promise.race([reload().inject(context), connecting]);
      isOver = true;
      connects = await connecting;
      await context.load.untilJoined();
    },
    { load: { ...SMALL_LOAD, members: MEMBERS } },
  );
  expectValid(report);
  expect(report.verdict.counts.faults.get('gateway reloaded')).toBe(1);
  expect(connects).toBeGreaterThan(100);
  // Every client was moved once.
  expect(report.closes).toEqual(new Map([[1012, MEMBERS]]));
  const closes = members.flatMap(({ tap }) => tap.closes.map(({ at }) => at));
  const returns = members.flatMap(({ tap }) => tap.openedAt.slice(1));
  expect(returns).toHaveLength(MEMBERS);
  expect(mostWithin(closes, 1_000)).toBeLessThanOrEqual(SHARE_MAX * MEMBERS);
  expect(mostWithin(returns, 1_000)).toBeLessThanOrEqual(SHARE_MAX * MEMBERS);
});
