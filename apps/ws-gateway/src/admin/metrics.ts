import { type CertificateTimes, certificatesText, type ProcessMetric, processText } from '@groupcast/service';
import { Counter, Gauge, Registry } from 'prom-client';
import type { WorkerReport } from '../processes/messages.ts';
import type { ReloadStats } from '../processes/reloads.ts';
import type { SlotCounts } from '../processes/worker-counts.ts';
import { histogramText } from './durations.ts';
import type { PrimaryStats } from './stats.ts';

const PREFIX = 'groupcast_gateway';

/** Names of the plain numbers of `T`. */
type NumberField<T> = { [K in keyof T]: T[K] extends number ? K : never }[keyof T];

/** Names of a report's numbers by reason. */
type ReasonField = 'recoveries' | 'dropped' | 'rejected' | 'closed' | 'tokensRejected' | 'handshakesRejected';

const GAUGES: readonly (readonly [field: NumberField<WorkerReport>, name: string, help: string])[] = [
  ['connections', 'connections', 'Open WebSockets.'],
  ['authenticated', 'authenticated_connections', 'WebSockets whose client has a token.'],
  ['bans', 'bans', 'Bans and revocations that are known.'],
  ['groups', 'groups', 'Groups subscribed at the hub.'],
  ['users', 'users', 'Users with a connection, whose channel is subscribed at the hub.'],
  ['bufferedBytes', 'client_buffer_bytes', 'Bytes pending for clients.'],
  ['recovering', 'catching_up', 'Joins in recovery.'],
  ['memoryBytes', 'memory_bytes', 'Resident memory of the process.'],
];

const COUNTERS: readonly (readonly [field: NumberField<SlotCounts>, name: string, help: string])[] = [
  ['accepted', 'accepted_total', 'WebSockets opened.'],
  ['received', 'received_total', 'Messages received from clients.'],
  ['published', 'published_total', 'Messages of clients for groups, including rejected ones.'],
  ['publications', 'publications_total', 'Publications received from the hub.'],
  ['delivered', 'delivered_total', 'Publications written to members, once for each member.'],
  [
    'deliveryWrites',
    'delivery_writes_total',
    'Writes to members; publications of one event-loop turn share one.',
  ],
  ['bytesOut', 'sent_bytes_total', 'Bytes of WebSocket frames.'],
  ['joins', 'joins_total', 'Joins of connections to groups.'],
  ['leaves', 'leaves_total', 'Leaves of connections from groups.'],
  [
    'recoveriesThrottled',
    'recoveries_throttled_total',
    'Times that a recovery waited for the rate limit of its connection.',
  ],
  ['recoveredMessages', 'recovered_messages_total', 'Publications written to members in recoveries.'],
  [
    'ephemeralDropped',
    'ephemeral_dropped_total',
    'Ephemeral publications that members with full buffers did not get.',
  ],
  ['gaps', 'gaps_total', 'Gaps reported to members.'],
];

const REASON_COUNTERS: readonly (readonly [field: ReasonField, name: string, help: string])[] = [
  ['recoveries', 'recoveries_total', 'Joins with a position, by outcome.'],
  ['dropped', 'dropped_total', 'Publications dropped.'],
  ['rejected', 'rejected_total', 'Commands with an error as their reply.'],
  ['closed', 'closed_total', 'WebSockets closed.'],
  ['tokensRejected', 'tokens_rejected_total', 'Tokens rejected.'],
  ['handshakesRejected', 'handshakes_rejected_total', 'Connections that did not become WebSockets.'],
];

const HISTOGRAMS: readonly (readonly [
  field: 'publishDurations' | 'deliveryDurations',
  name: string,
  help: string,
])[] = [
  [
    'publishDurations',
    'publish_duration_seconds',
    'Time from a send_to_group with an id until the hub has accepted it; one in 16 is measured.',
  ],
  [
    'deliveryDurations',
    'delivery_duration_seconds',
    'Time from the receipt of publications until they are written to all members; one in 16 event-loop turns is measured.',
  ],
];

/** Names of a hub client's counters. */
type HubField =
  | 'rejected'
  | 'subscriptionsRejected'
  | 'reconnects'
  | 'recoveries'
  | 'ephemeralDropped'
  | 'holes'
  | 'positionLosses'
  | 'skipped';

const HUB_COUNTERS: readonly (readonly [field: HubField, name: string, help: string])[] = [
  [
    'rejected',
    'publishes_rejected_total',
    'Publishes rejected because the hub was disconnected or overloaded.',
  ],
  ['subscriptionsRejected', 'hub_subscriptions_rejected_total', 'Subscriptions rejected by the hub.'],
  ['reconnects', 'hub_reconnects_total', 'Links to the hub after the first.'],
  ['recoveries', 'hub_recoveries_total', 'Groups recovered after a disconnect or a gap.'],
  [
    'ephemeralDropped',
    'hub_ephemeral_dropped_total',
    'Ephemeral publications of the hub that arrived while their group was being recovered.',
  ],
  ['holes', 'hub_holes_total', "Gaps detected in the hub's stream while connected."],
  ['positionLosses', 'hub_position_losses_total', 'Groups that lost publications while connected.'],
  ['skipped', 'hub_skipped_frames_total', 'Messages of a newer hub that this version does not know.'],
];

/**
 * Formats the workers' counters for Prometheus, from new reports for each scrape. The label
 * `worker` is the number of the worker's place. A successor continues the counters of its place,
 * after a death and after a reload. While a reload runs, two workers have one place: their gauges
 * are added, or the worse one counts.
 */
export async function gatewayMetrics(
  { version, workers, slots, restarts, reload }: PrimaryStats,
  certificates: readonly CertificateTimes[] = [],
  ofProcess?: readonly ProcessMetric[],
): Promise<{ contentType: string; body: string }> {
  const registry = new Registry();
  const registers = [registry];
  for (const [field, name, help] of GAUGES) {
    const gauge = new Gauge({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const worker of workers) gauge.inc({ worker: worker.index }, worker[field]);
  }
  for (const [field, name, help] of COUNTERS) {
    const counter = new Counter({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const slot of slots) counter.inc({ worker: slot.index }, slot[field]);
  }
  for (const [field, name, help] of REASON_COUNTERS) {
    countReasons(registry, name, help, slots, (slot) => slot[field]);
  }
  addLoopDelay(registry, workers);
  addHub(registry, workers, slots);
  addPrimary(registry, workers.length, restarts, reload);
  const ofSystem = `${certificatesText(PREFIX, certificates)}${processText(PREFIX, version, ofProcess)}`;
  const body = `${await registry.metrics()}${histograms(slots)}\n${ofSystem}`;
  return { contentType: registry.contentType, body };
}

function histograms(slots: readonly SlotCounts[]): string {
  const texts = HISTOGRAMS.map(([field, name, help]) => {
    const workers = slots.map((slot) => ({ index: slot.index, counts: slot[field] }));
    return `\n${histogramText(metricName(name), help, workers)}`;
  });
  return texts.join('');
}

function addLoopDelay(registry: Registry, workers: readonly WorkerReport[]): void {
  const gauge = new Gauge({
    name: metricName('event_loop_delay_p99_seconds'),
    help: 'Delay of the event loop, 99th percentile of ten seconds.',
    labelNames: ['worker'],
    registers: [registry],
  });
  for (const { index, loopDelayMs } of byWorst(workers, (worker) => worker.loopDelayMs)) {
    gauge.set({ worker: index }, loopDelayMs / 1_000);
  }
}

/** Returns the workers with the worst one of each place last. */
function byWorst(
  workers: readonly WorkerReport[],
  badness: (worker: WorkerReport) => number,
): readonly WorkerReport[] {
  return [...workers].sort((one, other) => badness(one) - badness(other));
}

function addHub(registry: Registry, workers: readonly WorkerReport[], slots: readonly SlotCounts[]): void {
  const registers = [registry];
  const linked = new Gauge({
    name: metricName('hub_link_up'),
    help: 'Whether the worker is connected to the hub.',
    labelNames: ['worker'],
    registers,
  });
  const isUp = ({ hub }: WorkerReport): number => (hub.state === 'open' ? 1 : 0);
  for (const worker of byWorst(workers, (each) => -isUp(each))) {
    linked.set({ worker: worker.index }, isUp(worker));
  }
  for (const [field, name, help] of HUB_COUNTERS) {
    const counter = new Counter({ name: metricName(name), help, labelNames: ['worker'], registers });
    for (const { index, hub } of slots) counter.inc({ worker: index }, hub[field]);
  }
  const help = 'Groups with publications that cannot be recovered.';
  countReasons(registry, 'hub_lost_total', help, slots, ({ hub }) => hub.lost);
}

function addPrimary(
  registry: Registry,
  workers: number,
  restarts: number,
  { done, failed, state }: ReloadStats,
): void {
  const registers = [registry];
  // Shows that series of workers are missing, which did not answer in time.
  const answered = { name: metricName('workers'), help: 'Workers in this scrape.', registers };
  new Gauge(answered).set(workers);
  const restarted = 'Workers restarted after a death.';
  new Counter({ name: metricName('worker_restarts_total'), help: restarted, registers }).inc(restarts);
  const reloads = new Counter({
    name: metricName('reloads_total'),
    help: 'Reloads by outcome.',
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
  slots: readonly SlotCounts[],
  countsOf: (slot: SlotCounts) => Readonly<Record<string, number>>,
): void {
  const counter = new Counter({
    name: metricName(name),
    help,
    labelNames: ['worker', 'reason'],
    registers: [registry],
  });
  for (const slot of slots) {
    for (const [reason, count] of Object.entries(countsOf(slot))) {
      counter.inc({ worker: slot.index, reason }, count);
    }
  }
}

function metricName(name: string): string {
  return `${PREFIX}_${name}`;
}
