import { type CertificateTimes, certificatesText, type ProcessMetric, processText } from '@groupcast/service';
import { Counter, Gauge, Registry } from 'prom-client';
import type { PhpCounts } from '../dialect/php/counts.ts';
import type { HistoryStats, KeyedStats } from '../engine/engine.ts';
import type { QueueStats } from '../queue/queue-stats.ts';
import { NO_ENDS, NO_REJECTIONS } from './reasons.ts';
import type { HubReport } from './stats.ts';

/** Names of the plain numbers in a report. */
type NumberField = { [K in keyof HubReport]: HubReport[K] extends number ? K : never }[keyof HubReport];

/** Names of the plain numbers in the history of a report. */
type HistoryField = {
  [K in keyof HistoryStats]: HistoryStats[K] extends number ? K : never;
}[keyof HistoryStats];

const GAUGES: readonly (readonly [field: NumberField, name: string, help: string])[] = [
  ['connectedPeers', 'peers', 'Connected peers.'],
  ['channels', 'channels', 'Channels with a subscription.'],
  ['engineChannels', 'engine_channels', 'Channels in the engine: with a subscription, or with history.'],
  ['subscriptions', 'subscriptions', 'Active subscriptions.'],
  ['bufferedBytes', 'peer_buffer_bytes', 'Bytes in the buffers of all peers.'],
  ['memoryBytes', 'memory_bytes', 'Resident memory of the process.'],
];

const COUNTERS: readonly (readonly [field: NumberField, name: string, help: string])[] = [
  ['published', 'published_total', 'Publications received from peers.'],
  ['delivered', 'delivered_total', 'Publications delivered, once per subscriber.'],
  [
    'publisherPauses',
    'publisher_pauses_total',
    'Pauses of publishers because the buffers of peers were near their limit.',
  ],
  [
    'ephemeralDropped',
    'ephemeral_dropped_total',
    'Ephemeral publications dropped for a peer with too much in its buffer.',
  ],
  [
    'skippedFrames',
    'skipped_frames_total',
    'Frames of a later version, which peers announced and the hub does not know.',
  ],
  ['dropped', 'dropped_total', 'Connections dropped because of the limit of peers.'],
];

const HISTORY_GAUGES: readonly (readonly [field: HistoryField, name: string, help: string])[] = [
  ['publications', 'history_publications', 'Publications in history.'],
  ['bytes', 'history_bytes', 'Bytes of history.'],
  ['slabBytes', 'history_slab_bytes', 'Memory that history takes from the system and returns to it.'],
  ['positions', 'history_positions', 'Channels in history with a position only.'],
  ['messageIds', 'message_ids', 'Message ids kept to recognize repetitions.'],
];

const HISTORY_COUNTERS: readonly (readonly [field: HistoryField, name: string, help: string])[] = [
  [
    'channelsDropped',
    'history_channels_dropped_total',
    'Channels whose publications were all dropped for the total limit.',
  ],
  [
    'positionsDropped',
    'history_positions_dropped_total',
    'Positions of channels forgotten early because of their limit.',
  ],
  ['duplicates', 'duplicates_total', 'Repeated publications, answered and not published again.'],
  ['messageIdsDropped', 'message_ids_dropped_total', 'Message ids forgotten early because of their limit.'],
];

const KEYED_GAUGES: readonly (readonly [field: keyof KeyedStats, name: string, help: string])[] = [
  ['keys', 'keyed_values', 'Values of keyed channels.'],
  ['bytes', 'keyed_bytes', 'Bytes of the values of keyed channels.'],
];

const KEYED_COUNTERS: readonly (readonly [field: keyof KeyedStats, name: string, help: string])[] = [
  ['rejected', 'keyed_rejected_total', 'Publications rejected because their value had no room.'],
  ['expired', 'keyed_expired_total', 'Values of keyed channels that expired.'],
];

const QUEUE_GAUGES: readonly (readonly [field: keyof QueueStats, name: string, help: string])[] = [
  ['queues', 'queues', 'Queues with items or consumers.'],
  ['waiting', 'queue_items_waiting', 'Items waiting for a consumer.'],
  ['leased', 'queue_items_leased', 'Items leased to a consumer.'],
  ['bytes', 'queue_item_bytes', 'Bytes of items.'],
  ['messageIds', 'queue_message_ids', 'Message ids of items kept to recognize repetitions.'],
];

const QUEUE_COUNTERS: readonly (readonly [field: keyof QueueStats, name: string, help: string])[] = [
  ['enqueued', 'queue_enqueued_total', 'Items accepted from producers.'],
  ['rejected', 'queue_rejected_total', 'Items rejected because of a limit.'],
  ['duplicates', 'queue_duplicates_total', 'Repeated items, answered and not enqueued again.'],
  [
    'messageIdsDropped',
    'queue_message_ids_dropped_total',
    'Message ids of items forgotten early because of their limit.',
  ],
  ['done', 'queue_done_total', 'Items done.'],
  ['failed', 'queue_failed_total', 'Items that a consumer reported as failed.'],
  ['expired', 'queue_expired_total', 'Leases that expired before the item was done.'],
  ['redelivered', 'queue_redelivered_total', 'Deliveries of items after the first.'],
  ['dead', 'queue_dead_total', 'Items moved to a dead-letter queue after too many attempts.'],
  ['deadDropped', 'queue_dead_dropped_total', 'Items dropped because their dead-letter queue was full.'],
];

const PHP_COUNTERS: readonly (readonly [field: keyof PhpCounts, name: string, help: string])[] = [
  ['lossy', 'php_lossy_values_total', 'Values of PHP peers that JSON cannot represent.'],
  ['tooLong', 'php_too_long_total', 'Deliveries to PHP peers dropped because of the limit of a frame.'],
  [
    'systemGroups',
    'php_system_groups_total',
    'Messages of PHP peers to groups that begin with $, which only PHP peers got.',
  ],
  ['unheard', 'php_unheard_total', 'publishLoop calls to a channel without a PHP subscriber.'],
];

const PREFIX = 'groupcast_hub';

/** Returns the metrics of a report as Prometheus text, from a new registry for each scrape. */
export async function hubMetrics(
  report: HubReport,
  certificates: readonly CertificateTimes[] = [],
  ofProcess?: readonly ProcessMetric[],
): Promise<{ contentType: string; body: string }> {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: number): void => {
    new Gauge({ name: `${PREFIX}_${name}`, help, registers }).set(value);
  };
  const counter = (name: string, help: string, value: number): void => {
    new Counter({ name: `${PREFIX}_${name}`, help, registers }).inc(value);
  };
  const labelled = (name: string, help: string, label: string, counts: object): void => {
    const labelNames = [label];
    const family = new Counter({ name: `${PREFIX}_${name}`, help, labelNames, registers });
    for (const [value, count] of Object.entries(counts)) family.inc({ [label]: value }, count);
  };
  const { history, keyed, queues, php } = report;
  for (const [field, name, help] of GAUGES) gauge(name, help, report[field]);
  const loopDelayHelp = 'Event loop delay, 99th percentile of ten seconds.';
  gauge('event_loop_delay_p99_seconds', loopDelayHelp, report.loopDelayMs / 1_000);
  for (const [field, name, help] of COUNTERS) counter(name, help, report[field]);
  for (const [field, name, help] of HISTORY_GAUGES) gauge(name, help, history[field]);
  for (const [field, name, help] of HISTORY_COUNTERS) counter(name, help, history[field]);
  for (const [field, name, help] of KEYED_GAUGES) gauge(name, help, keyed[field]);
  for (const [field, name, help] of KEYED_COUNTERS) counter(name, help, keyed[field]);
  for (const [field, name, help] of QUEUE_GAUGES) gauge(name, help, queues[field]);
  gauge('queue_oldest_item_age_seconds', 'Age of the oldest waiting item.', queues.oldestMs / 1_000);
  for (const [field, name, help] of QUEUE_COUNTERS) counter(name, help, queues[field]);
  for (const [field, name, help] of PHP_COUNTERS) counter(name, help, php[field]);
  labelled('closed_total', 'Ended peers, by reason.', 'reason', { ...NO_ENDS, ...report.closed });
  const rejectedHelp = 'Rejected requests, and names dropped from requests of PHP peers.';
  labelled('rejected_total', rejectedHelp, 'reason', { ...NO_REJECTIONS, ...report.rejected });
  labelled(
    'history_trimmed_total',
    'Publications dropped from history, by the limit that they exceeded.',
    'reason',
    history.trimmed,
  );
  labelled('history_reads_total', 'History pages read, by verdict.', 'verdict', history.reads);
  const ofSystem = `${certificatesText(PREFIX, certificates)}${processText(PREFIX, report.version, ofProcess)}`;
  return { contentType: registry.contentType, body: `${await registry.metrics()}\n${ofSystem}` };
}
