import type { Primary, PrimaryState } from '../supervision/primary.ts';
import type { WorkerReport } from '../supervision/worker-report.ts';

/** What `GET /api/v1/stats` answers: the sums over the workers, then each of them. */
export interface PrimaryStats {
  readonly service: 'groupcast-gateway';
  readonly pid: number;
  readonly state: PrimaryState;
  readonly listen: string;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  readonly loopDelayMs: number;
  readonly restarts: number;
  readonly connections: number;
  /** Summed over the workers: a group with members on two of them counts twice. */
  readonly groups: number;
  readonly received: number;
  readonly delivered: number;
  readonly workers: readonly WorkerReport[];
}

export async function collectStats(
  primary: Primary,
  listen: string,
  loopDelayMs: number,
): Promise<PrimaryStats> {
  const workers = (await primary.report()).sort((one, other) => one.index - other.index);
  const sum = (field: 'connections' | 'groups' | 'received' | 'delivered'): number =>
    workers.reduce((total, worker) => total + worker[field], 0);
  return {
    service: 'groupcast-gateway',
    pid: process.pid,
    state: primary.state,
    listen,
    uptimeSeconds: Math.round(process.uptime()),
    memoryBytes: process.memoryUsage.rss(),
    loopDelayMs,
    restarts: primary.restarts,
    connections: sum('connections'),
    groups: sum('groups'),
    received: sum('received'),
    delivered: sum('delivered'),
    workers,
  };
}
