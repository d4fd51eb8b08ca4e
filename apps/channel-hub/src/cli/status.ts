import { type Command, formatUptime, statusCommandOf, textTable } from '@groupcast/service';
import type { HubReport } from '../admin/stats.ts';
import type { HubConfig } from '../config.ts';

const PROCESS_COLUMNS = [
  'pid',
  'version',
  'uptime',
  'listen',
  'peers',
  'channels',
  'published',
  'delivered',
  'buffered bytes',
  'memory MiB',
  'loop delay ms',
  'state',
];

const HISTORY_COLUMNS = [
  'channels kept',
  'publications',
  'history MiB',
  'trimmed',
  'recovered',
  'epoch changed',
  'too late',
  'message ids',
  'duplicates',
  'keyed values',
];

const PEER_COLUMNS = [
  'peer',
  'name',
  'address',
  'dialect',
  'subscriptions',
  'received',
  'delivered',
  'buffered bytes',
  'state',
];

const QUEUE_COLUMNS = ['queue', 'waiting', 'in lease', 'bytes', 'oldest s', 'watchers'];

export const statusCommand: Command<HubConfig> = statusCommandOf<HubConfig, HubReport>('groupcast-hub', {
  summary: 'Print the state of a running hub, its history, queues and peers, from its admin port.',
  text: statusText,
});

function statusText(report: HubReport): string {
  const { pid, version, listen, connectedPeers, channels, published, delivered } = report;
  const { bufferedBytes, loopDelayMs, state } = report;
  const uptime = formatUptime(report.uptimeSeconds);
  const memory = Math.round(report.memoryBytes / 1_024 / 1_024);
  const table = textTable(PROCESS_COLUMNS, [
    [pid, version, uptime, listen, connectedPeers, channels, published, delivered].concat([
      bufferedBytes,
      memory,
      loopDelayMs,
      state,
    ]),
  ]);
  const tables = [table, historyText(report)];
  if (report.longestQueues.length > 0) tables.push(queuesText(report));
  if (report.peers.length === 0) return tables.join('\n\n');
  const peers = report.peers.map((peer) => [
    peer.id,
    peer.name,
    peer.address,
    peer.dialect,
    peer.subscriptions,
    peer.received,
    peer.delivered,
    peer.bufferedBytes,
    peer.state,
  ]);
  return [...tables, textTable(PEER_COLUMNS, peers)].join('\n\n');
}

function queuesText({ longestQueues }: HubReport): string {
  return textTable(
    QUEUE_COLUMNS,
    longestQueues.map(({ name, waiting, leased, bytes, oldestMs, watchers }) => [
      name,
      waiting,
      leased,
      bytes,
      Math.round(oldestMs / 1_000),
      watchers,
    ]),
  );
}

function historyText({ engineChannels, history, keyed }: HubReport): string {
  const { publications, bytes, trimmed, reads, messageIds, duplicates } = history;
  const mebibytes = Math.round(bytes / 1_024 / 1_024);
  const trims = Object.values(trimmed).reduce((sum, count) => sum + count, 0);
  const { recovered, epoch_changed: changed, trimmed: late } = reads;
  const kept = [engineChannels, publications, mebibytes, trims, recovered, changed, late];
  return textTable(HISTORY_COLUMNS, [[...kept, messageIds, duplicates, keyed.keys]]);
}
