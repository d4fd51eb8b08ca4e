import { Counter, Gauge, Registry } from 'prom-client';
import type { WorkerReport } from '../supervision/worker-report.ts';
import type { PrimaryStats } from './stats.ts';

/** The names of a report's plain numbers. */
type NumberField = {
  [K in keyof WorkerReport]: WorkerReport[K] extends number ? K : never;
}[keyof WorkerReport];

/** The names of a report's numbers by reason. */
type ReasonField = 'dropped' | 'refused' | 'closed' | 'handshakesRefused';

const GAUGES: readonly (readonly [field: NumberField, name: string, help: string])[] = [
  ['connections', 'connections', 'WebSockets that are open.'],
  ['groups', 'groups', 'Groups that are followed at the hub.'],
  ['queuedBytes', 'queued_bytes', 'Bytes that wait for clients to read.'],
  ['memoryBytes', 'memory_bytes', 'Resident memory of the process.'],
  ['loopDelayMs', 'event_loop_delay_p99_milliseconds', 'How late the event loop is, over ten seconds.'],
];

const COUNTERS: readonly (readonly [field: NumberField, name: string, help: string])[] = [
  ['accepted', 'accepted_total', 'WebSockets that were opened.'],
  ['received', 'received_total', 'Messages that came from clients.'],
  ['published', 'published_total', 'Messages of clients for groups, those that were refused among them.'],
  ['publications', 'publications_total', 'Publications that came from the hub.'],
  ['delivered', 'delivered_total', 'Publications written to members, once for each member.'],
  ['deliveryWrites', 'delivery_writes_total', 'Writes to members; publications of one turn share one.'],
  ['bytesOut', 'sent_bytes_total', 'Bytes of WebSocket frames.'],
  ['joins', 'joins_total', 'Joins of connections to groups.'],
  ['leaves', 'leaves_total', 'Leaves of connections from groups.'],
];

const REASON_COUNTERS: readonly (readonly [field: ReasonField, name: string, help: string])[] = [
  ['dropped', 'dropped_total', 'Publications that were not handed to members.'],
  ['refused', 'refused_total', 'Commands that were answered with an error.'],
  ['closed', 'closed_total', 'WebSockets that ended.'],
  ['handshakesRefused', 'handshakes_refused_total', 'Connections that did not become WebSockets.'],
];

const HUB_COUNTERS: readonly (readonly [field: 'refused' | 'reconnects', name: string, help: string])[] = [
  ['refused', 'publishes_refused_total', 'Messages that never left for the hub: it is away, or busy.'],
  ['reconnects', 'hub_reconnects_total', 'Links to the hub after the first.'],
];

/**
 * What the workers count, as Prometheus reads it. Made anew for each scrape from what the workers report; the label `worker` is
 * the worker's place, so that the counters of one that died begin again in their own series.
 */
export async function gatewayMetrics(stats: PrimaryStats): Promise<{ contentType: string; body: string }> {
  const registry = new Registry();
  const registers = [registry];
  for (const [field, name, help] of GAUGES) {
    const gauge = new Gauge({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const worker of stats.workers) gauge.set({ worker: worker.index }, worker[field]);
  }
  for (const [field, name, help] of COUNTERS) {
    const counter = new Counter({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const worker of stats.workers) counter.inc({ worker: worker.index }, worker[field]);
  }
  for (const [field, name, help] of REASON_COUNTERS) {
    const counter = new Counter({
      name: metricName(name),
      help,
      labelNames: ['worker', 'reason'],
      registers,
    });
    for (const worker of stats.workers) {
      for (const [reason, count] of Object.entries(worker[field])) {
        counter.inc({ worker: worker.index, reason }, count);
      }
    }
  }
  const linked = new Gauge({
    name: metricName('hub_link_up'),
    help: 'Whether the worker has a link to the hub.',
    labelNames: ['worker'],
    registers,
  });
  for (const worker of stats.workers) {
    linked.set({ worker: worker.index }, worker.hub.state === 'open' ? 1 : 0);
  }
  for (const [field, name, help] of HUB_COUNTERS) {
    const counter = new Counter({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const worker of stats.workers) counter.inc({ worker: worker.index }, worker.hub[field]);
  }
  // Series of workers that did not answer in time are missing from this scrape, and here it shows.
  new Gauge({
    name: metricName('workers'),
    help: 'Workers that are in this scrape.',
    registers,
  }).set(stats.workers.length);
  const restarts = new Counter({
    name: metricName('worker_restarts_total'),
    help: 'Workers that died and were started again.',
    registers,
  });
  restarts.inc(stats.restarts);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

function metricName(name: string): string {
  return `groupcast_gateway_${name}`;
}
