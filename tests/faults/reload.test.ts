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

/** Of each worker. */
const DRAIN_SECONDS = 4;
const MEMBERS = 200;

/** The most that may fall into one second, wherever it begins. */
const SHARE_MAX = 0.25;

/** Between one connect and the next, so that no moment of a reload passes without one. */
const CONNECT_EVERY_MS = 5;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start({ workers: 2, gateway: { drainSeconds: DRAIN_SECONDS } });
});
afterAll(() => cluster.close());

/** Connects and leaves, again and again. Resolves with how often it was done when `isOver` says so; rejects when it is refused. */
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

test('a reload under load refuses no connect, and spreads closes and returns', async () => {
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
  // Everybody was moved once.
  expect(report.closes).toEqual(new Map([[1012, MEMBERS]]));
  const closes = members.flatMap(({ tap }) => tap.closes.map(({ at }) => at));
  const returns = members.flatMap(({ tap }) => tap.openedAt.slice(1));
  expect(returns).toHaveLength(MEMBERS);
  expect(mostWithin(closes, 1_000)).toBeLessThanOrEqual(SHARE_MAX * MEMBERS);
  expect(mostWithin(returns, 1_000)).toBeLessThanOrEqual(SHARE_MAX * MEMBERS);
});
