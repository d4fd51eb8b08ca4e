import { expect, test } from 'vitest';
import { expectValid } from './expect-valid.ts';
import { linkCut, linkReset } from './inject/network-faults.ts';
import { hubKill, hubRestart, workerKill } from './inject/process-faults.ts';
import { MIXED, SMALL_LOAD } from './load/load.ts';
import { run } from './run.ts';

const FAULTS = [workerKill(), linkCut('rst'), hubRestart(), linkReset(), workerKill(), hubKill()];

test('ephemeral messages come once or never and in order, and history and joins with earlier messages have no holes, through the death of workers, hub restarts and lost links', async () => {
  const report = await run(
    async (context) => {
      for (const fault of FAULTS) await fault.inject(context);
    },
    { load: { ...SMALL_LOAD, ...MIXED }, calmMs: 1_000 },
  );
  expectValid(report);
  const { counts } = report.verdict;
  expect([...counts.faults.values()].reduce((sum, count) => sum + count, 0)).toBe(FAULTS.length);
  expect(counts.ephemeral).toBeGreaterThan(0);
  expect(counts.reads).toBeGreaterThan(0);
  const late = report.log.events.filter((event) => event.type === 'join' && (event.count ?? 0) > 0);
  expect(late.length).toBeGreaterThan(0);
});
