import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { checkHistory } from './history/check-history.ts';
import { HistoryLog } from './history/history-log.ts';
import type { Verdict } from './history/verdict.ts';
import type { FaultContext } from './inject/fault.ts';
import { Load, type LoadOptions, SMALL_LOAD } from './load/load.ts';
import { PhpFleet, type PhpFleetOptions } from './load/php-fleet.ts';
import { Random } from './random.ts';

export interface RunOptions {
  readonly seed: number;
  readonly load: LoadOptions;
  /** PHP workers at the same hub. Default: none. */
  readonly php: PhpFleetOptions;
  /** Returns the URL of each connection. Default: any gateway of the cluster. */
  readonly url: () => string;
  /** Seconds without faults before and after the others. */
  readonly calmMs: number;
}

export interface RunReport {
  readonly seed: number;
  readonly log: HistoryLog;
  readonly verdict: Verdict;
  /** Messages that members received and their SDK did not deliver. */
  readonly swallowed: readonly string[];
  /** PHP workers that ended, with the reason. None should. */
  readonly phpEnded: readonly string[];
  /** Counts of the close codes of all connections of members. */
  readonly closes: ReadonlyMap<number, number>;
}

type Faults = (context: FaultContext) => Promise<void>;

const CALM_MS = 500;

/** Runs a load on a cluster with faults, a last message for every group, and the verdict. */
export async function runOn(
  cluster: Cluster,
  faults: Faults,
  options: Partial<RunOptions> = {},
): Promise<RunReport> {
  const { seed = 1, calmMs = CALM_MS, load: loadOptions = SMALL_LOAD } = options;
  // Two generators, so that the order of the faults does not depend on the draws of the load.
  const random = new Random(seed);
  const loadRandom = new Random(seed);
  const log = new HistoryLog();
  const url = options.url ?? ((): string => loadRandom.pick(cluster.urls));
  const load = await Load.start(loadOptions, { log, random: loadRandom, url });
  const php = options.php && (await startPhp(options.php, cluster, load, log, loadRandom));
  try {
    await delay(calmMs);
    await faults({ cluster, load, log, random, ...(php && { php }) });
    await delay(calmMs);
    await php?.stop();
    const last = await load.drain();
    await php?.drain(last);
    const closes = new Map<number, number>();
    for (const { code } of load.closes()) closes.set(code, (closes.get(code) ?? 0) + 1);
    // A snapshot: they are closed after the run.
    const phpEnded = [...(php?.ended ?? [])];
    return { seed, log, verdict: checkHistory(log.events), swallowed: load.swallowed(), phpEnded, closes };
  } finally {
    load.close();
    await php?.close();
  }
}

function startPhp(
  options: PhpFleetOptions,
  { hub }: Cluster,
  { groups }: Load,
  log: HistoryLog,
  random: Random,
): Promise<PhpFleet> {
  return PhpFleet.start(options, { hubPort: hub.port, groups, log, random });
}

/** Does the same on a cluster of its own, which is removed afterwards. */
export async function run(
  faults: Faults,
  options: Partial<RunOptions> = {},
  clusterOptions: Partial<ClusterOptions> = {},
): Promise<RunReport> {
  const cluster = await Cluster.start(clusterOptions);
  try {
    return await runOn(cluster, faults, options);
  } finally {
    await cluster.close();
  }
}
