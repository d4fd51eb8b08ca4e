import { mergeLatencies } from '../generator/latency-recorder.ts';
import type { Settings } from '../plan.ts';
import type { Latencies, Result, RunReport, ServerCost } from '../report/result.ts';
import type { OpenedReport, ResultReport } from './messages.ts';
import type { ServerReading } from './server-probe.ts';

/** Measurements of a run, still by process. */
export interface Measurement {
  readonly url: string;
  readonly settings: Settings;
  readonly pids: readonly number[];
  readonly opened: readonly OpenedReport[];
  readonly results: readonly ResultReport[];
  /** Length of the measured time. */
  readonly seconds: number;
  /** Undefined when nothing is read or no messages were sent. */
  readonly readings: {
    readonly before: ServerReading | undefined;
    readonly joined: ServerReading | undefined;
    readonly begun: ServerReading | undefined;
    readonly ended: ServerReading | undefined;
  };
  readonly interrupted: boolean;
}

/** CPU share above which a generator is the bottleneck. */
const LIMITED_SHARE = 0.9;

const MILLION = 1_000_000;
const MICROS_PER_MILLI = 1_000;

/** Last percentile of the curve of latencies: beyond it, the figures are noise. */
const CURVE_PERCENTILES = [
  0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 96, 97, 98, 99, 99.5, 99.9, 99.95, 99.99,
];

/** Combines the measurements of the processes. */
export function summarize(measurement: Measurement): RunReport {
  const { url, settings, opened, results, seconds, interrupted } = measurement;
  const perSecond = addPerSecond(results.map((result) => result.perSecond));
  const deliveries = sum(perSecond);
  const histogram = mergeLatencies(results.map((result) => result.latencies));
  const faults = results.map((result) => result.faults);
  const idle = settings.scenario === 'idle' || settings.scenario === 'storm';
  const generatorShares = (idle ? opened : results).map((part) => part.cpuShare);
  const cpuShare = Math.max(...generatorShares);
  const result: Result = {
    scenario: settings.scenario,
    url,
    protocol: settings.protocol,
    settings,
    seconds,
    messages: sum(results.map((part) => part.messages)),
    deliveries,
    deliveriesPerSecond: seconds === 0 ? 0 : deliveries / seconds,
    perSecond,
    latencyMs: histogram.totalCount === 0 ? null : latencies(histogram),
    lost: sum(faults.map((part) => part.lost)),
    doubled: sum(faults.map((part) => part.doubled)),
    misordered: sum(faults.map((part) => part.misordered)),
    unexpected: sum(faults.map((part) => part.unexpected)),
    connect: connectResult(opened),
    server: serverCost(measurement, deliveries),
    generator: { processes: results.length, cpuShare, limited: cpuShare >= LIMITED_SHARE },
    complaints: addComplaints(results),
    interrupted,
  };
  return {
    result,
    latencyCurve:
      histogram.totalCount === 0
        ? []
        : CURVE_PERCENTILES.map((percentile) => [percentile, valueMs(histogram, percentile)] as const),
    generatorShares,
  };
}

type Histogram = ReturnType<typeof mergeLatencies>;

function valueMs(histogram: Histogram, percentile: number): number {
  return histogram.getValueAtPercentile(percentile) / MICROS_PER_MILLI;
}

function latencies(histogram: Histogram): Latencies {
  return {
    p50: valueMs(histogram, 50),
    p90: valueMs(histogram, 90),
    p99: valueMs(histogram, 99),
    p999: valueMs(histogram, 99.9),
    max: histogram.maxValue / MICROS_PER_MILLI,
    mean: histogram.mean / MICROS_PER_MILLI,
  };
}

function connectResult(opened: readonly OpenedReport[]): Result['connect'] {
  const connections = sum(opened.map((part) => part.connections));
  const seconds = Math.max(...opened.map((part) => part.seconds));
  const handshakes = mergeLatencies(opened.map((part) => part.handshakes));
  return {
    connections,
    retried: sum(opened.map((part) => part.retried)),
    seconds,
    perSecond: seconds === 0 ? 0 : connections / seconds,
    handshakeMs: { p50: valueMs(handshakes, 50), p99: valueMs(handshakes, 99) },
  };
}

function serverCost({ pids, readings, opened }: Measurement, deliveries: number): ServerCost | null {
  const { before, joined, begun, ended } = readings;
  if (before === undefined || joined === undefined || ended === undefined) return null;
  const connections = sum(opened.map((part) => part.connections));
  const connectSeconds = joined.cpuSeconds - before.cpuSeconds;
  const cpuSeconds = begun === undefined ? connectSeconds : ended.cpuSeconds - begun.cpuSeconds;
  return {
    pids,
    cpuSeconds,
    cpuSecondsPerMillionDeliveries: deliveries === 0 ? null : (cpuSeconds / deliveries) * MILLION,
    cpuMicrosPerConnection: connections === 0 ? null : (connectSeconds / connections) * MILLION,
    rssBytesBefore: before.rssBytes,
    rssBytesAfter: ended.rssBytes,
    rssBytesPerConnection: connections === 0 ? null : (ended.rssBytes - before.rssBytes) / connections,
  };
}

function addPerSecond(parts: readonly (readonly number[])[]): number[] {
  const length = Math.max(...parts.map((part) => part.length));
  return Array.from({ length }, (_, second) => sum(parts.map((part) => part[second] ?? 0)));
}

function addComplaints(results: readonly ResultReport[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const [reason, count] of results.flatMap((result) => result.complaints)) {
    counts.set(reason, (counts.get(reason) ?? 0) + count);
  }
  return Object.fromEntries(counts);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
