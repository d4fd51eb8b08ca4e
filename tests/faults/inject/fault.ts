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
  /** PHP workers, where the run has some. */
  readonly php?: PhpFleet;
}

/** Something that goes wrong. Resolves when it is over and what was broken is there again, as far as the operator's part goes. */
export interface Fault {
  readonly name: string;
  /** Writes the fault into the log, and its proof once it is seen to have happened. */
  inject(context: FaultContext): Promise<void>;
}

export function anyGateway({ cluster, random }: FaultContext): ClusterGateway {
  return random.pick(cluster.gateways);
}
