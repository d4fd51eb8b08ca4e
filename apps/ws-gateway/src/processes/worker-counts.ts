import type { HubClientStats } from '@groupcast/hub-client';
import type { GatewayStats, Gauge } from '../admin/gateway-stats.ts';
import type { WorkerReport } from './messages.ts';

/** Counters of a worker's hub client. */
type HubCounts = Pick<
  HubClientStats,
  | 'rejected'
  | 'subscriptionsRejected'
  | 'reconnects'
  | 'recoveries'
  | 'ephemeralDropped'
  | 'holes'
  | 'positionLosses'
  | 'skipped'
  | 'lost'
>;

/** Counters of one or several workers, which only grow. */
export interface WorkerCounts extends Omit<GatewayStats, Gauge> {
  readonly hub: HubCounts;
}

/** Counters of the place of a worker, with those of all workers that had it before. */
export interface SlotCounts extends WorkerCounts {
  /** Number of the place. */
  readonly index: number;
}

/** Returns the counters of a report, without its gauges. */
export function countsOf(report: WorkerReport): WorkerCounts {
  const { index, pid, state, uptimeSeconds, memoryBytes, loopDelayMs, hub, ...stats } = report;
  const { connections, authenticated, bans, groups, users, ...others } = stats;
  const { bufferedBytes, recovering, rejectedAddresses, ...counts } = others;
  return { ...counts, hub: hubCountsOf(hub) };
}

function hubCountsOf(hub: HubClientStats): HubCounts {
  const { rejected, subscriptionsRejected, reconnects, recoveries, ephemeralDropped } = hub;
  const { holes, positionLosses, skipped, lost } = hub;
  return {
    rejected,
    subscriptionsRejected,
    reconnects,
    recoveries,
    ephemeralDropped,
    holes,
    positionLosses,
    skipped,
    lost,
  };
}

/** Adds two sets of counters, also those that are nested in them. */
function addCounts<C extends object>(one: C, other: C): C {
  const others = new Map<string, unknown>(Object.entries(other));
  const sums = Object.entries(one).map(([name, count]) => [name, added(count, others.get(name))]);
  return Object.fromEntries(sums) as C;
}

function added(one: unknown, other: unknown): unknown {
  if (typeof one === 'number' && typeof other === 'number') return one + other;
  if (isObject(one) && isObject(other)) return addCounts(one, other);
  return one ?? other;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Sums of the counters of ended workers, by their place. */
export class EndedWorkers {
  readonly #counts = new Map<number, WorkerCounts>();

  /** Adds the last report of a worker that has ended. */
  add(report: WorkerReport): void {
    this.#counts.set(report.index, sumOf(this.#counts.get(report.index), report));
  }

  /**
   * Returns the counters of each place, with those of the workers that run: `running` has the
   * latest report of each. No counter is ever lower than in an earlier call.
   */
  withRunning(running: Iterable<WorkerReport>): readonly SlotCounts[] {
    const sums = new Map(this.#counts);
    for (const report of running) sums.set(report.index, sumOf(sums.get(report.index), report));
    return [...sums].map(([index, counts]) => ({ index, ...counts })).sort((a, b) => a.index - b.index);
  }
}

function sumOf(counts: WorkerCounts | undefined, report: WorkerReport): WorkerCounts {
  return counts === undefined ? countsOf(report) : addCounts(counts, countsOf(report));
}
