import { Counter, Gauge, Registry } from 'prom-client';
import type { WorkerReport } from '../processes/messages.ts';
import type { ReloadStats } from '../processes/reloads.ts';
import type { PrimaryStats } from './stats.ts';

/** The names of a report's plain numbers. */
type NumberField = {
  [K in keyof WorkerReport]: WorkerReport[K] extends number ? K : never;
}[keyof WorkerReport];

/** The names of a report's numbers by reason. */
type ReasonField = 'recoveries' | 'dropped' | 'refused' | 'closed' | 'handshakesRefused';

const GAUGES: readonly (readonly [field: NumberField, name: string, help: string])[] = [
  ['connections', 'connections', 'WebSockets that are open.'],
  ['groups', 'groups', 'Groups that are followed at the hub.'],
  ['queuedBytes', 'client_buffer_bytes', 'Bytes that wait for clients to read.'],
  ['recovering', 'catching_up', 'Joins that are being given what they missed.'],
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
  [
    'recoveriesThrottled',
    'recoveries_throttled_total',
    'Times that a recovery waited: its connection had enough for now.',
  ],
  ['recoveredMessages', 'recovered_messages_total', 'Publications written to members that had missed them.'],
  ['gaps', 'gaps_total', 'Times that a member was told that messages are lost to it.'],
];

const REASON_COUNTERS: readonly (readonly [field: ReasonField, name: string, help: string])[] = [
  ['recoveries', 'recoveries_total', 'Joins with a position, by what became of them.'],
  ['dropped', 'dropped_total', 'Publications that were not handed to members.'],
  ['refused', 'refused_total', 'Commands that were answered with an error.'],
  ['closed', 'closed_total', 'WebSockets that ended.'],
  ['handshakesRefused', 'handshakes_refused_total', 'Connections that did not become WebSockets.'],
];

/** The names of a hub client's plain numbers that only grow. */
type HubField = 'refused' | 'subscriptionsRefused' | 'reconnects' | 'recoveries' | 'holes' | 'positionLosses';

const HUB_COUNTERS: readonly (readonly [field: HubField, name: string, help: string])[] = [
  [
    'refused',
    'publishes_refused_total',
    'Publishes rejected because the hub was disconnected or overloaded.',
  ],
  ['subscriptionsRefused', 'hub_subscriptions_refused_total', 'Groups that the hub has refused to a worker.'],
  ['reconnects', 'hub_reconnects_total', 'Links to the hub after the first.'],
  ['recoveries', 'hub_recoveries_total', 'Groups that had to be caught up with.'],
  ['holes', 'hub_holes_total', "Gaps detected in the hub's stream while connected."],
  ['positionLosses', 'hub_position_losses_total', 'Groups that had lost publications on a link that stood.'],
];

/**
 * What the workers count, as Prometheus reads it. Made anew for each scrape from what the workers
 * report; the label `worker` is the worker's number, so that the counters of one that died or was
 * replaced begin again in their own series.
 */
export async function gatewayMetrics({
  workers,
  restarts,
  reload,
}: PrimaryStats): Promise<{ contentType: string; body: string }> {
  const registry = new Registry();
  const registers = [registry];
  for (const [field, name, help] of GAUGES) {
    const gauge = new Gauge({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const worker of workers) gauge.set({ worker: worker.index }, worker[field]);
  }
  for (const [field, name, help] of COUNTERS) {
    const counter = new Counter({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const worker of workers) counter.inc({ worker: worker.index }, worker[field]);
  }
  for (const [field, name, help] of REASON_COUNTERS) {
    countReasons(registry, name, help, workers, (worker) => worker[field]);
  }
  addHub(registry, workers);
  addPrimary(registry, workers.length, restarts, reload);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

function addHub(registry: Registry, workers: readonly WorkerReport[]): void {
  const registers = [registry];
  const linked = new Gauge({
    name: metricName('hub_link_up'),
    help: 'Whether the worker has a link to the hub.',
    labelNames: ['worker'],
    registers,
  });
  for (const worker of workers) linked.set({ worker: worker.index }, worker.hub.state === 'open' ? 1 : 0);
  for (const [field, name, help] of HUB_COUNTERS) {
    const counter = new Counter({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const worker of workers) counter.inc({ worker: worker.index }, worker.hub[field]);
  }
  const help = 'Groups in which publications are lost for good.';
  countReasons(registry, 'hub_lost_total', help, workers, ({ hub }) => hub.lost);
}

function addPrimary(
  registry: Registry,
  workers: number,
  restarts: number,
  { done, failed, state }: ReloadStats,
): void {
  const registers = [registry];
  // Series of workers that did not answer in time are missing from this scrape, and here it shows.
  const answered = { name: metricName('workers'), help: 'Workers that are in this scrape.', registers };
  new Gauge(answered).set(workers);
  const restarted = 'Workers that died and were started again.';
  new Counter({ name: metricName('worker_restarts_total'), help: restarted, registers }).inc(restarts);
  const reloads = new Counter({
    name: metricName('reloads_total'),
    help: 'Reloads, by what became of them.',
    labelNames: ['outcome'],
    registers,
  });
  reloads.inc({ outcome: 'done' }, done);
  reloads.inc({ outcome: 'failed' }, failed);
  const running = { name: metricName('reloading'), help: 'Whether a reload runs.', registers };
  new Gauge(running).set(state === 'idle' ? 0 : 1);
}

function countReasons(
  registry: Registry,
  name: string,
  help: string,
  workers: readonly WorkerReport[],
  countsOf: (worker: WorkerReport) => Readonly<Record<string, number>>,
): void {
  const counter = new Counter({
    name: metricName(name),
    help,
    labelNames: ['worker', 'reason'],
    registers: [registry],
  });
  for (const worker of workers) {
    for (const [reason, count] of Object.entries(countsOf(worker))) {
      counter.inc({ worker: worker.index, reason }, count);
    }
  }
}

function metricName(name: string): string {
  return `groupcast_gateway_${name}`;
}
