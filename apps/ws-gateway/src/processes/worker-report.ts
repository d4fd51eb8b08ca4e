import type { HubClientStats } from '@groupcast/hub-client';
import type { GatewayStats } from '../admin/gateway-stats.ts';

/** `retired`: it serves those who are connected, takes no others, and will drain when its turn comes. */
export type WorkerState = 'starting' | 'up' | 'retired' | 'draining';

/** One worker's row of `status` and of `GET /api/v1/stats`. */
export interface WorkerReport extends GatewayStats {
  /** Its number among the workers: its successor after a death has the same. */
  readonly index: number;
  readonly pid: number;
  readonly state: WorkerState;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** 99th percentile of the last ten seconds, in milliseconds. */
  readonly loopDelayMs: number;
  readonly hub: HubClientStats;
}
