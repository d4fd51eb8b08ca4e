import manifest from '../../package.json' with { type: 'json' };
import type { Hub } from '../hub.ts';
import type { PeerRow } from '../peer/peer-row.ts';
import type { QueueRow } from '../queue/queue-stats.ts';
import type { HubStats } from './hub-stats.ts';

/** Response of `GET /api/v1/stats`. */
export interface HubReport extends HubStats {
  readonly service: 'groupcast-hub';
  readonly version: string;
  readonly pid: number;
  /** Addresses, separated by commas; '' before the hub listens. */
  readonly listen: string;
  readonly state: 'up' | 'draining';
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  /** 99th percentile of the last ten seconds, in milliseconds. */
  readonly loopDelayMs: number;
  /** The first peers, PEERS_MAX at most. */
  readonly peers: readonly PeerRow[];
  /** The longest queues. */
  readonly longestQueues: readonly QueueRow[];
}

/** Peers in a response, which people read; use the metrics of a hub with more. */
const PEERS_MAX = 1_000;
const QUEUES_MAX = 20;

export function hubReport(hub: Hub, listen: string, loopDelayMs: number): HubReport {
  return {
    service: 'groupcast-hub',
    version: manifest.version,
    pid: process.pid,
    listen,
    state: listen === '' ? 'draining' : 'up',
    uptimeSeconds: Math.round(process.uptime()),
    memoryBytes: process.memoryUsage.rss(),
    loopDelayMs,
    ...hub.stats(),
    peers: hub.peers().slice(0, PEERS_MAX),
    longestQueues: hub.queues(QUEUES_MAX),
  };
}
