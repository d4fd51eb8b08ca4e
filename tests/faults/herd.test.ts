import { afterAll, beforeAll, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import type { Fault } from './inject/fault.ts';
import { clientsCut } from './inject/network-faults.ts';
import { workerKill } from './inject/process-faults.ts';
import { SMALL_LOAD } from './load/load.ts';
import type { Member } from './load/member.ts';
import { runOn } from './run.ts';

const MEMBERS = 300;
const WORKERS = 2;

/** Connections per second and worker, so low that these members make a herd. */
const HANDSHAKES_PER_SECOND = 40;
const HANDSHAKES_BURST = 20;

let cluster: Cluster;

beforeAll(async () => {
  const gateway = { handshakesPerSecond: HANDSHAKES_PER_SECOND, handshakesBurst: HANDSHAKES_BURST };
  cluster = await Cluster.start({ workers: WORKERS, gateway });
});
afterAll(() => cluster.close());

async function refusedByRate(): Promise<number> {
  const { workers } = await cluster.first.gateway.stats();
  const refused = workers.map((worker) => worker['handshakesRejected'] as { readonly rate: number });
  return refused.reduce((sum, { rate }) => sum + rate, 0);
}

const FAULTS: readonly Fault[] = [clientsCut(1), workerKill()];

test.each(FAULTS)(
  'F18: a herd ($name) is accepted at the configured rate, and all reconnect',
  async (fault) => {
    let members: readonly Member[] = [];
    let cutAt = 0;
    const report = await runOn(
      cluster,
      async (context) => {
        members = context.load.members;
        cutAt = performance.now();
        const refused = await refusedByRate();
        await fault.inject(context);
        await context.load.untilJoined();
        // The counters of a killed worker are lost; those of the others show their connections.
        expect(await refusedByRate()).toBeGreaterThan(fault.name === 'clients cut' ? refused : 0);
      },
      { load: { ...SMALL_LOAD, members: MEMBERS } },
    );
    expectValid(report);
    expect(report.verdict.counts.notRecovered.size).toBe(0);
    const returns = members.flatMap(({ tap }) => tap.openedAt.filter((at) => at > cutAt));
    expect(returns.length).toBeGreaterThan(MEMBERS / 4);
    // Minimum time if each worker, and the successor of a killed one, keeps to its rate. A slow
    // machine takes longer.
    const atRate = returns.length - (WORKERS + 1) * HANDSHAKES_BURST;
    const leastMs = (1_000 * atRate) / (WORKERS * HANDSHAKES_PER_SECOND);
    expect(Math.max(...returns) - cutAt).toBeGreaterThan(leastMs);
  },
);
