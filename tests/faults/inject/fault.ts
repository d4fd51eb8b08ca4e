import type { Cluster, ClusterGateway } from '../cluster.ts';
import type { HistoryLog } from '../history/history-log.ts';
import type { Load } from '../load/load.ts';
import type { PhpFleet } from '../load/php-fleet.ts';
import type { Random } from '../random.ts';

export interface FaultContext {
  readonly cluster: Cluster;
  readonly load: Load;
  readonly log: HistoryLog;
  readonly random: Random;
  /** PHP workers, if the run has some. */
  readonly php?: PhpFleet;
}

/**
 * A fault. Resolves when it is over and the broken part works again, as far as the operator does
 * that.
 */
export interface Fault {
  readonly name: string;
  /** Writes the fault into the log, and its proof when it has happened. */
  inject(context: FaultContext): Promise<void>;
}

export function anyGateway({ cluster, random }: FaultContext): ClusterGateway {
  return random.pick(cluster.gateways);
}
