import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import type { Fault } from './inject/fault.ts';
import { SMALL_LOAD } from './load/load.ts';
import { runOn } from './run.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await Cluster.start();
});
afterAll(() => cluster.close());

const NOTHING: Fault = { name: 'nothing', inject: () => delay(500) };

test('a run without faults is valid and complete', async () => {
  const report = await runOn(cluster, (context) => NOTHING.inject(context));
  expectValid(report);
  const { counts } = report.verdict;
  expect(counts.acknowledged).toBe(counts.invoked);
  expect(counts.firstJoins).toBe(SMALL_LOAD.members * SMALL_LOAD.groupsPerMember);
  expect(counts.received).toBeGreaterThan(counts.invoked);
  expect(report.closes.size).toBe(0);
});

test('a run that loses one message in a thousand is invalid', async () => {
  const report = await runOn(cluster, (context) => NOTHING.inject(context), {
    load: { ...SMALL_LOAD, publishesPerSecond: 100, lost: 0.001 },
  });
  expect(report.verdict.valid).toBe(false);
  expect([...report.verdict.violationsByCode.keys()].sort()).toEqual(['C4', 'C6']);
  // The SDK got them all: the harness detects that as well.
  expect(report.swallowed.length).toBeGreaterThan(0);
});

test('a fault that does not happen makes a run unknown', async () => {
  const report = await runOn(cluster, async ({ log }) => void log.addFault('nothing'));
  expect(report.verdict.valid).toBe('unknown');
  expect(report.verdict.unknownWhy).toEqual(['the fault "nothing" did not happen']);
});
