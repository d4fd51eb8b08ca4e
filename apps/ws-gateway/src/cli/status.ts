import { type Command, formatUptime, printable, statusCommandOf, textTable } from '@groupcast/service';
import type { PrimaryStats } from '../admin/stats.ts';
import type { GatewayConfig } from '../config.ts';

const COLUMNS = [
  'pid',
  'role',
  'version',
  'uptime',
  'listen',
  'connections',
  'groups',
  'received',
  'delivered',
  'memory MiB',
  'loop delay ms',
  'hub',
  'state',
];

/** Longest error, which has every problem of a configuration, in bytes. */
const ERROR_BYTES_MAX = 4_096;

export const statusCommand: Command<GatewayConfig> = statusCommandOf<GatewayConfig, PrimaryStats>(
  'groupcast-gateway',
  {
    summary: 'Print a table of the processes of a running gateway, read from its admin port.',
    text: (stats) => {
      const parts = [textTable(COLUMNS, statusRows(stats))];
      const { error } = stats.reload;
      if (error !== undefined) parts.push(`The last reload failed: ${printable(error, ERROR_BYTES_MAX)}`);
      if (stats.rejectedAddresses.length > 0) parts.push(rejectedTable(stats));
      return parts.join('\n');
    },
  },
);

export function statusRows(stats: PrimaryStats): (string | number)[][] {
  const { pid, state, listen, connections, groups, received, delivered, memoryBytes, loopDelayMs } = stats;
  return [
    [
      pid,
      'primary',
      stats.version,
      formatUptime(stats.uptimeSeconds),
      listen,
      connections,
      groups,
      received,
      delivered,
      mebibytes(memoryBytes),
      loopDelayMs,
      '',
      state === 'up' && stats.reload.state !== 'idle' ? 'reloading' : state,
    ],
    ...stats.workers.map((worker) => [
      worker.pid,
      'worker',
      stats.version,
      formatUptime(worker.uptimeSeconds),
      listen,
      worker.connections,
      worker.groups,
      worker.received,
      worker.delivered,
      mebibytes(worker.memoryBytes),
      worker.loopDelayMs,
      worker.hub.state,
      worker.state,
    ]),
  ];
}

function rejectedTable({ rejectedAddresses }: PrimaryStats): string {
  const rows = rejectedAddresses.map(({ address, rejected }) => [address, rejected]);
  return `\n${textTable(['rejected address', 'handshakes'], rows)}`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_024 / 1_024);
}
