import { Counter, Gauge, Registry } from 'prom-client';
import type { PhpCounts } from '../dialect/php/counts.ts';
import type { HistoryStats } from '../engine/engine.ts';
import type { QueueCounts, QueueStats } from '../queue/queue-stats.ts';
import type { HubReport } from './stats.ts';

/** The names of a report's plain numbers. */
type NumberField = { [K in keyof HubReport]: HubReport[K] extends number ? K : never }[keyof HubReport];

/** The same of a report's history. */
type HistoryField = {
  [K in keyof HistoryStats]: HistoryStats[K] extends number ? K : never;
}[keyof HistoryStats];

const GAUGES: readonly (readonly [field: NumberField, name: string, help: string])[] = [
  ['sessions', 'sessions', 'Peers that are connected.'],
  ['channels', 'channels', 'Channels that somebody follows.'],
  ['engineChannels', 'engine_channels', 'Channels that something is kept for, followed or not.'],
  ['subscriptions', 'subscriptions', 'Pairs of a peer and what it follows.'],
  ['queuedBytes', 'peer_buffer_bytes', 'Bytes that wait for peers to read.'],
  ['memoryBytes', 'memory_bytes', 'Resident memory of the process.'],
  ['loopDelayMs', 'event_loop_delay_p99_milliseconds', 'How late the event loop is, over ten seconds.'],
];

const COUNTERS: readonly (readonly [field: NumberField, name: string, help: string])[] = [
  ['published', 'published_total', 'Publications that came from peers.'],
  ['delivered', 'delivered_total', 'Publications handed to peers, once for each copy.'],
  [
    'publisherPauses',
    'publisher_pauses_total',
    'Times that publishers waited because too much waited for readers.',
  ],
  ['dropped', 'dropped_total', 'Connections dropped because the hub was full.'],
];

const HISTORY_GAUGES: readonly (readonly [field: HistoryField, name: string, help: string])[] = [
  ['publications', 'history_publications', 'Publications that are kept for those who missed them.'],
  ['bytes', 'history_bytes', 'What history takes.'],
  ['positions', 'history_positions', 'Channels of which only the position is kept.'],
  ['messageIds', 'message_ids', 'Message ids that a repetition would be known by.'],
];

const HISTORY_COUNTERS: readonly (readonly [field: HistoryField, name: string, help: string])[] = [
  [
    'channelsDropped',
    'history_channels_dropped_total',
    'Channels that lost all their publications for want of room.',
  ],
  [
    'positionsDropped',
    'history_positions_dropped_total',
    'Positions of channels forgotten early because there were too many.',
  ],
  ['duplicates', 'duplicates_total', 'Repetitions that were answered and not published again.'],
  [
    'messageIdsDropped',
    'message_ids_dropped_total',
    'Message ids forgotten early because there were too many.',
  ],
];

const QUEUE_GAUGES: readonly (readonly [field: keyof QueueStats, name: string, help: string])[] = [
  ['queues', 'queues', 'Queues that hold something or are watched.'],
  ['waiting', 'queue_items_waiting', 'Items that wait for a consumer.'],
  ['leased', 'queue_items_leased', 'Items that a consumer works on.'],
  ['bytes', 'queue_item_bytes', 'What items take.'],
];

const QUEUE_COUNTERS: readonly (readonly [field: keyof QueueCounts, name: string, help: string])[] = [
  ['enqueued', 'queue_enqueued_total', 'Items taken from producers.'],
  ['refused', 'queue_refused_total', 'Items refused for want of room.'],
  ['done', 'queue_done_total', 'Items that are done.'],
  ['failed', 'queue_failed_total', 'Items that consumers could not do.'],
  ['expired', 'queue_expired_total', 'Items that consumers did not do in time.'],
  ['redelivered', 'queue_redelivered_total', 'Hand-outs of items after the first.'],
  ['dead', 'queue_dead_total', 'Items given up after too many attempts.'],
  [
    'deadDropped',
    'queue_dead_dropped_total',
    'Items that were given up and had no room among the dead letters.',
  ],
];

const PHP_COUNTERS: readonly (readonly [field: keyof PhpCounts, name: string, help: string])[] = [
  ['lossy', 'php_lossy_values_total', 'Values of PHP peers that JSON could not say.'],
  [
    'tooLong',
    'php_too_long_total',
    'Deliveries to PHP peers that were longer than a frame, and were not made.',
  ],
  ['unheard', 'php_unheard_total', 'publishLoop to a channel that no PHP peer followed.'],
];

const REASON_COUNTERS: readonly (readonly [field: 'closed' | 'refused', name: string, help: string])[] = [
  ['closed', 'closed_total', 'Peers that ended.'],
  [
    'refused',
    'refused_total',
    'Requests that were refused, and names that were left out of requests of PHP peers.',
  ],
];

/** What the hub counts, as Prometheus reads it. Made anew for each scrape, so that nothing is counted twice over. */
export async function hubMetrics(report: HubReport): Promise<{ contentType: string; body: string }> {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string, value: number): void => {
    new Gauge({ name: `groupcast_hub_${name}`, help, registers }).set(value);
  };
  const counter = (name: string, help: string, value: number): void => {
    new Counter({ name: `groupcast_hub_${name}`, help, registers }).inc(value);
  };
  const labelled = (name: string, help: string, label: string, counts: object): void => {
    const labelNames = [label];
    const family = new Counter({ name: `groupcast_hub_${name}`, help, labelNames, registers });
    for (const [value, count] of Object.entries(counts)) family.inc({ [label]: value }, count);
  };
  const { history, queues, php } = report;
  for (const [field, name, help] of GAUGES) gauge(name, help, report[field]);
  for (const [field, name, help] of COUNTERS) counter(name, help, report[field]);
  for (const [field, name, help] of HISTORY_GAUGES) gauge(name, help, history[field]);
  for (const [field, name, help] of HISTORY_COUNTERS) counter(name, help, history[field]);
  for (const [field, name, help] of QUEUE_GAUGES) gauge(name, help, queues[field]);
  gauge('queue_oldest_item_age_seconds', 'How long the oldest item has waited.', queues.oldestMs / 1_000);
  for (const [field, name, help] of QUEUE_COUNTERS) counter(name, help, queues[field]);
  for (const [field, name, help] of PHP_COUNTERS) counter(name, help, php[field]);
  for (const [field, name, help] of REASON_COUNTERS) labelled(name, help, 'reason', report[field]);
  labelled(
    'history_trimmed_total',
    'Publications given up, by the bound that they broke.',
    'reason',
    history.trimmed,
  );
  labelled('history_reads_total', 'Pages of history that were asked for.', 'verdict', history.reads);
  return { contentType: registry.contentType, body: await registry.metrics() };
}
