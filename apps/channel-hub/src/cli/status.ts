import { type Command, fetchStats, textTable } from '@groupcast/service';
import type { HubConfig } from '../config.ts';
import type { HubReport } from './stats.ts';

const PROCESS_COLUMNS = [
  'pid',
  'listen',
  'sessions',
  'channels',
  'published',
  'delivered',
  'queued bytes',
  'memory MiB',
  'loop delay ms',
  'state',
];

const PEER_COLUMNS = [
  'peer',
  'name',
  'address',
  'dialect',
  'subjects',
  'received',
  'delivered',
  'queued bytes',
  'state',
];

export const statusCommand: Command<HubConfig> = {
  summary: 'Print tables of a running hub and its peers, read from its admin port.',
  run: async (config, context) => {
    const { adminHost, adminPort } = config;
    const report = await fetchStats<HubReport>(adminHost, adminPort, 'groupcast-hub');
    context.print(statusText(report));
    return 0;
  },
};

function statusText(report: HubReport): string {
  const { pid, listen, sessions, channels, published, delivered, queuedBytes, loopDelayMs, state } = report;
  const memory = Math.round(report.memoryBytes / 1_024 / 1_024);
  const table = textTable(PROCESS_COLUMNS, [
    [pid, listen, sessions, channels, published, delivered, queuedBytes, memory, loopDelayMs, state],
  ]);
  if (report.peers.length === 0) return table;
  const peers = report.peers.map((peer) => [
    peer.id,
    peer.name,
    peer.address,
    peer.dialect,
    peer.subjects,
    peer.received,
    peer.delivered,
    peer.queuedBytes,
    peer.state,
  ]);
  return `${table}\n\n${textTable(PEER_COLUMNS, peers)}`;
}
