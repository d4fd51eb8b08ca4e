import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.ts';
import type { Fault, FaultContext } from './fault.ts';
import { clientsCut, linkBad, linkBlackhole, linkCut, linkReset } from './network-faults.ts';
import { hubKill, hubPause, hubRestart, primaryKill, reload, workerKill } from './process-faults.ts';

type Draw = (random: Random) => Fault;

/**
 * Processes that die, stop or are replaced: one after another, because each waits until its damage
 * is repaired.
 */
const PROCESS_FAULTS: readonly Draw[] = [
  () => workerKill(),
  () => workerKill(),
  () => primaryKill(),
  (random) => hubKill(random.between(0, 3_000)),
  () => hubRestart(),
  (random) => hubPause(1_000 * random.pick([2, 5, 10, 20])),
  () => reload(),
  () => reload(),
];

/**
 * Network faults beside process faults. Short enough that a reload, which needs the hub, succeeds.
 */
const NETWORK_FAULTS: readonly Draw[] = [
  (random) => linkCut(random.pick(['rst', 'fin'])),
  () => linkReset(),
  (random) => linkBlackhole(random.between(500, 6_000), random.pick([['up', 'down'], ['up'], ['down']])),
  (random) =>
    linkBad(
      random.between(500, 4_000),
      random.pick([{ sliceBytes: 3 }, { delayMs: 50, jitterMs: 100 }, { bytesPerSecond: 100_000 }]),
    ),
  (random) => clientsCut(random.next()),
];

const PAUSE_MS = { min: 200, max: 3_000 };

/** Random faults for about `ms`: one of processes and one of networks at a time. */
export async function randomFaults(
  context: FaultContext,
  ms: number,
  onFault: (name: string) => void,
): Promise<void> {
  const endAt = performance.now() + ms;
  const track = async (draws: readonly Draw[]): Promise<void> => {
    while (performance.now() < endAt) {
      const fault = context.random.pick(draws)(context.random);
      onFault(fault.name);
      await fault.inject(context);
      await delay(context.random.between(PAUSE_MS.min, PAUSE_MS.max));
    }
  };
  // Wait for both, even if one fails: the other must not continue in the next run.
  const ends = await Promise.allSettled([track(PROCESS_FAULTS), track(NETWORK_FAULTS)]);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
