import { expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import { linkCut, linkReset } from './inject/network-faults.ts';
import { hubKill, hubRestart, workerKill } from './inject/process-faults.ts';
import { KeyedFleet } from './load/keyed-fleet.ts';
import { Random } from './random.ts';
import { runOn } from './run.ts';

const FAULTS = [linkCut('rst'), workerKill(), hubRestart(), linkReset(), linkCut('fin'), hubKill()];

test('live maps of two hosts agree at the end, and no key goes back, through the death of workers, hub restarts and lost links', async () => {
  const cluster = await Cluster.start({ gateways: 2 });
  // Beside the workers of each gateway, so that what breaks their links breaks those of the maps.
  const fleet = new KeyedFleet(
    cluster.gateways.map(({ link }) => link.port),
    new Random(1),
  );
  try {
    const report = await runOn(cluster, async (context) => {
      for (const fault of FAULTS) await fault.inject(context);
    });
    await fleet.drain();
    expectValid(report);
    expect(fleet.published).toBeGreaterThan(100);
    for (const { faults, loads } of fleet.readers) {
      expect(faults).toEqual([]);
      // The first load, and one for the last hub: the one between them may end too early.
      expect(loads).toBeGreaterThanOrEqual(2);
    }
  } finally {
    fleet.close();
    await cluster.close();
  }
});
