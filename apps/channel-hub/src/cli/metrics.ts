import { Counter, Gauge, Registry } from 'prom-client';
import type { HubReport } from './stats.ts';

/** The names of a report's plain numbers. */
type NumberField = { [K in keyof HubReport]: HubReport[K] extends number ? K : never }[keyof HubReport];

const GAUGES: readonly (readonly [field: NumberField, name: string, help: string])[] = [
  ['sessions', 'sessions', 'Peers that are connected.'],
  ['channels', 'channels', 'Channels that somebody follows.'],
  ['subscriptions', 'subscriptions', 'Pairs of a peer and what it follows.'],
  ['queuedBytes', 'queued_bytes', 'Bytes that wait for peers to read.'],
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

const REASON_COUNTERS: readonly (readonly [field: 'closed' | 'refused', name: string, help: string])[] = [
  ['closed', 'closed_total', 'Peers that ended.'],
  ['refused', 'refused_total', 'Requests that were answered with an error.'],
];

/** What the hub counts, as Prometheus reads it. Made anew for each scrape, so that nothing is counted twice over. */
export async function hubMetrics(report: HubReport): Promise<{ contentType: string; body: string }> {
  const registry = new Registry();
  const registers = [registry];
  for (const [field, name, help] of GAUGES) {
    new Gauge({ name: `groupcast_hub_${name}`, help, registers }).set(report[field]);
  }
  for (const [field, name, help] of COUNTERS) {
    new Counter({ name: `groupcast_hub_${name}`, help, registers }).inc(report[field]);
  }
  for (const [field, name, help] of REASON_COUNTERS) {
    const counter = new Counter({ name: `groupcast_hub_${name}`, help, labelNames: ['reason'], registers });
    for (const [reason, count] of Object.entries(report[field])) counter.inc({ reason }, count);
  }
  return { contentType: registry.contentType, body: await registry.metrics() };
}
