import { formatAddress } from '@groupcast/service';
import manifest from '../../package.json' with { type: 'json' };
import type { GatewaySettings } from '../processes/generation.ts';
import type { WorkerReport } from '../processes/messages.ts';
import type { Primary, PrimaryState } from '../processes/primary.ts';
import type { ReloadStats, Reloads } from '../processes/reloads.ts';
import type { SlotCounts } from '../processes/worker-counts.ts';
import { mergeRejected, type RejectedAddress } from './rejected-addresses.ts';

/** Response of `GET /api/v1/stats`: the sums over the workers, then each of them. */
export interface PrimaryStats {
  readonly service: 'groupcast-gateway';
  readonly version: string;
  readonly pid: number;
  readonly state: PrimaryState;
  /** Addresses for clients, separated by commas; '' before the workers listen. */
  readonly listen: string;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  readonly loopDelayMs: number;
  /** Workers that replaced dead ones. */
  readonly restarts: number;
  readonly reload: ReloadStats;
  readonly connections: number;
  /** Sum over the workers: a group with members on two of them counts twice. */
  readonly groups: number;
  /** Since the start of the gateway, with those of ended workers. */
  readonly received: number;
  readonly delivered: number;
  /** Counters of each place of a worker, with those of workers that had it before. */
  readonly slots: readonly SlotCounts[];
  /** Addresses of clients with the most rejected handshakes, by the workers that run. */
  readonly rejectedAddresses: readonly RejectedAddress[];
  /** Workers that answered; during a reload two may have one place. */
  readonly workers: readonly WorkerReport[];
}

/** Returns the addresses for clients, with the actual port; none before the workers listen. */
export function listenUrls({ address, settings }: Primary): readonly string[] {
  if (address === undefined) return [];
  return urlsOf(settings, address.port);
}

/** Returns the addresses for proxies with the PROXY protocol; none before the workers listen. */
export function proxyUrls({ address, settings }: Primary): readonly string[] {
  const { proxyProtocolPort = 0 } = settings.worker.gateway;
  return address === undefined || proxyProtocolPort === 0 ? [] : urlsOf(settings, proxyProtocolPort);
}

function urlsOf({ worker }: GatewaySettings, port: number): readonly string[] {
  const { host, tls } = worker.gateway;
  const scheme = tls === undefined ? 'ws' : 'wss';
  return host.map((one) => `${scheme}://${formatAddress(one, port)}`);
}

export async function collectStats(
  primary: Primary,
  reloads: Reloads,
  loopDelayMs: number,
): Promise<PrimaryStats> {
  // First: while no reload runs, no replaced worker may be in the stats.
  const reload = reloads.stats();
  const workers = (await primary.report()).sort(
    (one, other) => one.index - other.index || one.pid - other.pid,
  );
  const slots = primary.counts();
  const sum = (field: 'connections' | 'groups'): number =>
    workers.reduce((total, worker) => total + worker[field], 0);
  const count = (field: 'received' | 'delivered'): number =>
    slots.reduce((total, slot) => total + slot[field], 0);
  return {
    service: 'groupcast-gateway',
    version: manifest.version,
    pid: process.pid,
    state: primary.state,
    listen: listenUrls(primary).join(', '),
    uptimeSeconds: Math.round(process.uptime()),
    memoryBytes: process.memoryUsage.rss(),
    loopDelayMs,
    restarts: primary.restarts,
    reload,
    connections: sum('connections'),
    groups: sum('groups'),
    received: count('received'),
    delivered: count('delivered'),
    slots,
    rejectedAddresses: mergeRejected(workers.map(({ rejectedAddresses }) => rejectedAddresses)),
    workers,
  };
}
