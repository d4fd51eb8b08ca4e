import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { expectValid } from './expect-valid.ts';
import type { FaultContext } from './inject/fault.ts';
import { linkCut } from './inject/network-faults.ts';
import { hubPause, reload, workerKill } from './inject/process-faults.ts';
import { COMMON_LOAD } from './load/load.ts';
import { run } from './run.ts';

const RELOADS = 5;

/** Drain of each worker in each reload. */
const DRAIN_SECONDS = 0.5;

/**
 * Reloads one after another; link cuts all the time, worker kills and a pause of the hub in
 * between.
 */
async function everything(context: FaultContext): Promise<void> {
  const { random } = context;
  let isOver = false;
  const cuts = async (): Promise<void> => {
    while (!isOver) {
      await linkCut(random.pick(['rst', 'fin'])).inject(context);
      await delay(random.between(500, 2_500));
    }
  };
  const cutting = cuts();
  await workerKill().inject(context);
  for (let count = 1; count <= RELOADS; count++) {
    await reload().inject(context);
    // A worker that starts while the hub is stopped gets no answer to its hello.
    if (count === 3) await Promise.all([hubPause(10_000).inject(context), workerKill().inject(context)]);
  }
  isOver = true;
  await cutting;
}

/** Seeds of the runs. The long checks have more of them than CI. */
const SEEDS = (process.env['FAULT_SEEDS'] ?? '1').split(',').map(Number);

test.each(SEEDS)(
  '200 members, 10 publishers: worker kills, five rolling reloads, link cuts and a hub that stands still for 10 s lose, double and reorder nothing (seed %i)',
  async (seed) => {
    const report = await run(
      everything,
      { seed, load: COMMON_LOAD },
      { gateway: { drainSeconds: DRAIN_SECONDS } },
    );
    expectValid(report);
    const { counts } = report.verdict;
    expect(counts.faults.get('gateway reloaded')).toBe(RELOADS);
    expect(counts.faults.get('worker killed')).toBe(2);
    expect(counts.faults.get('hub paused for 10 s')).toBe(1);
    expect(counts.recovered).toBeGreaterThan(RELOADS * COMMON_LOAD.members);
    expect(counts.notRecovered.size).toBe(0);
    expect(counts.unanswered + counts.unknown + counts.refused).toBe(0);
    expect(counts.inTwoEpochs).toBe(0);
  },
);
