import type { Hub } from '../hub.ts';
import type { SessionRow } from '../peer/peer-row.ts';
import type { QueueRow } from '../queue/queue-stats.ts';
import type { HubStats } from './hub-stats.ts';

/** What `GET /api/v1/stats` answers. */
export interface HubReport extends HubStats {
  readonly service: 'groupcast-hub';
  readonly pid: number;
  /** '' before it listens. */
  readonly listen: string;
  readonly state: 'up' | 'draining';
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** 99th percentile of the last ten seconds, in milliseconds. */
  readonly loopDelayMs: number;
  /** The peers, as far as an answer should be long. */
  readonly peers: readonly SessionRow[];
  /** The longest queues. */
  readonly longestQueues: readonly QueueRow[];
}

/** `status` is for reading; a hub with more peers than this is watched through its metrics. */
const PEERS_MAX = 1_000;
const QUEUES_MAX = 20;

export function hubReport(hub: Hub, listen: string, loopDelayMs: number): HubReport {
  return {
    service: 'groupcast-hub',
    pid: process.pid,
    listen,
    state: listen === '' ? 'draining' : 'up',
    uptimeSeconds: Math.round(process.uptime()),
    memoryBytes: process.memoryUsage.rss(),
    loopDelayMs,
    ...hub.stats(),
    peers: hub.sessions().slice(0, PEERS_MAX),
    longestQueues: hub.queues(QUEUES_MAX),
  };
}
