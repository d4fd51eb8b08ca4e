import { type HubStats, killAll, startHub, type TestHub, until } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';
import { NativePeer } from '../testing/native-peer.ts';

const MIB = 1024 * 1024;
const FILL_BYTES = 120 * MIB;
const TEXT = 'x'.repeat(2_000);
const CHANNELS = 20_000;

/** Publications that leave together. */
const BATCH = 1_000;

afterEach(killAll);

/** The parts of the report that this test looks at, in bytes. */
async function memoryOf(hub: TestHub): Promise<{ resident: number; history: number }> {
  const stats: HubStats & { memoryBytes?: number; history?: { bytes: number } } = await hub.stats();
  return { resident: Number(stats.memoryBytes), history: Number(stats.history?.bytes) };
}

test('an idle hub returns the memory of expired history to the system', async () => {
  const hub = await startHub({ historySeconds: 10, logLevel: 'debug' });
  const peer = await NativePeer.open(hub.port);
  const before = await memoryOf(hub);
  for (let sent = 0; sent * TEXT.length < FILL_BYTES; sent += BATCH) {
    for (let index = 1; index < BATCH; index++) peer.sendPublish(`c${(sent + index) % CHANNELS}`, TEXT);
    await peer.publish(`c${sent % CHANNELS}`, TEXT);
  }
  const full = await memoryOf(hub);
  expect(full.history).toBeGreaterThan(100 * MIB);
  expect(full.resident).toBeGreaterThan(before.resident + 100 * MIB);
  peer.link.destroy();
  await hub.process.waitForLine(/collected the garbage of expired history/);
  const added = (resident: number): number => Math.round((resident - before.resident) / MIB);
  await until(
    async () => added((await memoryOf(hub)).resident),
    `the ${added(full.resident)} MiB that were added to return`,
    (mib) => mib < 50,
  );
});
