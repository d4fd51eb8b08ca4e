import type { HubClientStats } from '@groupcast/hub-client';
import type { GatewayStats } from '../gateway-stats.ts';

/** One worker's row of `status` and of `GET /api/v1/stats`. */
export interface WorkerReport extends GatewayStats {
  /** Its place among the workers, from 0: its successor has the same. */
  readonly index: number;
  readonly pid: number;
  readonly state: 'up' | 'draining';
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** 99th percentile of the last ten seconds, in milliseconds. */
  readonly loopDelayMs: number;
  readonly hub: HubClientStats;
}
