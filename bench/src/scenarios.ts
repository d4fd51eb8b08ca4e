import { type HubLoad, loadHub } from './hub-load.ts';
import { type HubWire, NATIVE, NATS, REDIS } from './hub-wire.ts';
import { runLoad } from './load.ts';
import { versionOf } from './prepare.ts';
import { freePort, listens, type Running, start } from './processes.ts';
import {
  APT,
  FLOOR,
  FLOOR_BATCH,
  GROUPCAST,
  GROUPCAST_8,
  type Served,
  SOCKET_IO_2,
  type System,
  startHub,
  startRedis,
} from './systems.ts';

/** What one measurement gives, by name; what was not measured is missing. */
export type Measured = Readonly<Partial<Record<Metric, number>>>;

export type Metric =
  /** CPU seconds of the server for a million deliveries. */
  | 'cpu'
  | 'rate'
  | 'p50'
  | 'p99'
  /** p99 of the first ten seconds after the start, in milliseconds. */
  | 'coldP99'
  /** Resident memory of a connection, in bytes. */
  | 'memory'
  /** CPU of the server for a connection and its join, in microseconds. */
  | 'connect'
  /** Cores that the load generator took. */
  | 'generator';

/** Something that can be measured again and again. */
export interface Subject {
  measure(): Promise<Measured>;
  stop(): Promise<void>;
}

export interface Candidate {
  readonly name: string;
  readonly version: string;
  readonly missing?: string | undefined;
  start(): Promise<Subject>;
}

/** What is wanted of this project: a metric of a candidate is at most so much, or so many times another one. */
interface Check {
  readonly of: string;
  readonly metric: Metric;
  readonly over?: { readonly candidate: string; readonly metric: Metric };
  readonly most: number;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** What is compared, best first when it is less. */
  readonly metric: Metric;
  /** Whom the ratios are to. */
  readonly baseline: string;
  readonly checks: readonly Check[];
  /** Whether servers start anew for each round, because memory or warmth is what is measured. */
  readonly fresh: boolean;
  readonly candidates: readonly Candidate[];
}

/** Seconds that are measured in each round. */
export interface Pace {
  readonly seconds: number;
}

/** What a connection and its join may cost, and what it may hold while it is idle. */
const CONNECT_MICROS_MAX = 120;
const MEMORY_BYTES_MAX = 5.5 * 1024;

/** Hubs of the native dialect send heartbeats and expect them; a load that never sends any ends before they are missed. */
const HUB_SECONDS_MAX = 10;

const WARM = ['--scenario', 'groups', '--window', '8', '--seconds', '4'];

export function scenarios(all: readonly System[], pace: Pace): readonly Scenario[] {
  return [
    ...fanOuts(all, pace),
    ...lightLoads(all),
    ...connections(all),
    ...hubs(pace),
    ...growths(all, pace),
  ];
}

function without(all: readonly System[], ...names: string[]): readonly System[] {
  return all.filter(({ name }) => !names.includes(name));
}

function only(all: readonly System[], ...names: string[]): readonly System[] {
  return all.filter(({ name }) => names.includes(name));
}

function loadFor({ seconds }: Pace, ...args: string[]): string[] {
  return [...args, '--seconds', String(seconds)];
}

function steady(systems: readonly System[], args: readonly string[], warm = false): readonly Candidate[] {
  return systems.map((system) => candidate(system, args, warm));
}

function fanOuts(all: readonly System[], pace: Pace): readonly Scenario[] {
  const shared = { metric: 'cpu', fresh: false } as const;
  const batched = without(all, FLOOR, GROUPCAST_8);
  return [
    {
      ...shared,
      name: 'fanout-w1',
      title: 'One group of 1,000 members, 128 bytes, one message at a time',
      baseline: FLOOR,
      checks: [{ of: GROUPCAST, metric: 'cpu', over: { candidate: FLOOR, metric: 'cpu' }, most: 1.35 }],
      candidates: steady(without(all, FLOOR_BATCH, GROUPCAST_8), loadFor(pace, '--scenario', 'fanout')),
    },
    {
      ...shared,
      name: 'fanout-w8',
      title: 'The same with 8 messages on their way',
      baseline: FLOOR_BATCH,
      checks: [{ of: GROUPCAST, metric: 'cpu', over: { candidate: FLOOR_BATCH, metric: 'cpu' }, most: 1.9 }],
      candidates: steady(batched, loadFor(pace, '--scenario', 'fanout', '--window', '8')),
    },
    {
      ...shared,
      name: 'groups-w1',
      title: '200 groups of 10, one publishes in each, one message at a time in each group',
      baseline: FLOOR,
      checks: [
        { of: GROUPCAST, metric: 'cpu', over: { candidate: FLOOR, metric: 'cpu' }, most: 1.65 },
        { of: GROUPCAST_8, metric: 'cpu', over: { candidate: GROUPCAST, metric: 'cpu' }, most: 1.6 },
      ],
      candidates: steady(without(all, FLOOR_BATCH), loadFor(pace, '--scenario', 'groups')),
    },
    {
      ...shared,
      name: 'groups-w8',
      title: 'The same with 8 messages on their way in each group',
      baseline: SOCKET_IO_2,
      checks: [{ of: GROUPCAST, metric: 'cpu', over: { candidate: SOCKET_IO_2, metric: 'cpu' }, most: 0.25 }],
      candidates: steady(batched, loadFor(pace, '--scenario', 'groups', '--window', '8')),
    },
  ];
}

function lightLoads(all: readonly System[]): readonly Scenario[] {
  return [
    {
      name: 'latency',
      title: 'Light load: 1,000 members in 100 groups, 200 messages a second in all, after a warm-up',
      metric: 'p99',
      fresh: false,
      baseline: FLOOR,
      checks: [
        { of: GROUPCAST, metric: 'p99', over: { candidate: FLOOR, metric: 'p99' }, most: 2.9 },
        { of: GROUPCAST, metric: 'cpu', over: { candidate: SOCKET_IO_2, metric: 'cpu' }, most: 1 },
      ],
      candidates: steady(
        without(all, FLOOR_BATCH, GROUPCAST_8),
        ['--scenario', 'latency', '--seconds', '6'],
        true,
      ),
    },
    {
      name: 'latency-cold',
      title: 'Light load in the first ten seconds after the start, beside the same once warm',
      metric: 'coldP99',
      checks: [{ of: GROUPCAST, metric: 'coldP99', over: { candidate: GROUPCAST, metric: 'p99' }, most: 2 }],
      fresh: true,
      baseline: GROUPCAST,
      candidates: only(all, GROUPCAST).map(coldCandidate),
    },
  ];
}

function connections(all: readonly System[]): readonly Scenario[] {
  return [
    {
      name: 'storm',
      title: '10,000 connections as fast as they are taken, 256 at once, each joins one of 1,000 groups',
      metric: 'connect',
      checks: [{ of: GROUPCAST, metric: 'connect', most: CONNECT_MICROS_MAX }],
      fresh: true,
      baseline: FLOOR,
      candidates: steady(without(all, FLOOR_BATCH, GROUPCAST_8), ['--scenario', 'storm']),
    },
    {
      name: 'idle-30k',
      title: '30,000 connections that stand there, in 1,000 groups',
      metric: 'memory',
      checks: [{ of: GROUPCAST, metric: 'memory', most: MEMORY_BYTES_MAX }],
      fresh: true,
      baseline: GROUPCAST,
      candidates: steady(only(all, GROUPCAST), [
        '--scenario',
        'idle',
        '--members',
        '30000',
        '--seconds',
        '3',
      ]),
    },
  ];
}

function hubs(pace: Pace): readonly Scenario[] {
  const seconds = Math.min(pace.seconds, HUB_SECONDS_MAX);
  const one = { publishers: 1, channels: 1, seconds };
  return [
    hub('hub-1to8', 'The hub alone: 1 publisher, 8 subscribers, 1 channel, 128 bytes, 256 on their way', {
      ...one,
      window: 256,
    }),
    hub(
      'hub-8to8',
      'The hub alone: 8 publishers, 8 subscribers of all 1,000 channels, 256 on their way each',
      {
        publishers: 8,
        channels: 1_000,
        window: 256,
        seconds,
      },
    ),
    {
      ...hub('hub-latency', 'The hub alone: 2,000 messages a second, one at a time, to 8 subscribers', {
        ...one,
        rate: 2_000,
      }),
      metric: 'p99',
      checks: overPeers('p99', 1),
    },
  ];
}

/** Cost of a delivery with more and more connections, always in groups of 10. */
function growths(all: readonly System[], pace: Pace): readonly Scenario[] {
  const candidates = [1_000, 10_000, 30_000].flatMap((members) => {
    const groups = String(members / 10);
    const args = loadFor(pace, '--scenario', 'groups', '--members', String(members), '--groups', groups);
    return steady(only(all, GROUPCAST), args).map((one) => ({ ...one, name: connectionsText(members) }));
  });
  return [
    {
      name: 'growth',
      title: 'More and more connections in groups of 10, one message at a time in each',
      metric: 'cpu',
      checks: [],
      fresh: true,
      baseline: connectionsText(1_000),
      candidates,
    },
  ];
}

function connectionsText(members: number): string {
  return `${members.toLocaleString('en')} connections`;
}

function candidate(system: System, args: readonly string[], warm: boolean): Candidate {
  const { name, version, missing } = system;
  return {
    name,
    version,
    missing,
    start: async () => {
      const served = await system.start();
      if (warm) await runLoad(system, served, WARM);
      return { measure: () => measured(system, served, args), stop: served.stop };
    },
  };
}

function coldCandidate(system: System): Candidate {
  const { name, version, missing } = system;
  const args = ['--scenario', 'latency', '--seconds', '10', '--warmup-seconds', '0'];
  return {
    name,
    version,
    missing,
    start: async () => {
      const served = await system.start();
      const measure = async (): Promise<Measured> => {
        const { p99 } = await measured(system, served, args);
        await runLoad(system, served, WARM);
        const warm = await measured(system, served, args);
        return p99 === undefined ? warm : { ...warm, coldP99: p99 };
      };
      return { measure, stop: served.stop };
    },
  };
}

async function measured(system: System, served: Served, args: readonly string[]): Promise<Measured> {
  const { server, latencyMs, generator, deliveries, ...result } = await runLoad(system, served, args);
  const faults = result.lost + result.doubled + result.misordered;
  if (faults > 0) throw new Error(`${system.name} lost, doubled or misordered ${faults} messages.`);
  return defined({
    cpu: server?.cpuSecondsPerMillionDeliveries,
    rate: deliveries > 0 ? result.deliveriesPerSecond : result.connect.perSecond,
    p50: latencyMs?.p50,
    p99: latencyMs?.p99,
    memory: deliveries > 0 ? undefined : server?.rssBytesPerConnection,
    connect: deliveries > 0 ? undefined : server?.cpuMicrosPerConnection,
    generator: generator.cpuShare,
  });
}

type HubShape = Pick<HubLoad, 'publishers' | 'channels' | 'window' | 'rate' | 'seconds'>;

function hub(name: string, title: string, shape: HubShape): Scenario {
  return {
    name,
    title,
    metric: 'cpu',
    fresh: false,
    baseline: REDIS.name,
    checks: overPeers('cpu', 0.5),
    candidates: [
      hubCandidate(NATIVE, 'history and offsets on', startHub, shape),
      hubCandidate(REDIS, versionOf('redis-server', ['--version'])?.slice(0, 21), startRedis, shape),
      hubCandidate(NATS, versionOf('nats-server', ['--version']), startNats, shape),
    ],
  };
}

function overPeers(metric: Metric, most: number): readonly Check[] {
  return [REDIS, NATS].map(({ name }) => ({
    of: NATIVE.name,
    metric,
    over: { candidate: name, metric },
    most,
  }));
}

function hubCandidate(
  wire: HubWire,
  version: string | undefined,
  open: () => Promise<Running & { readonly port: number }>,
  shape: HubShape,
): Candidate {
  return {
    name: wire.name,
    version: version ?? '',
    missing: version === undefined ? APT : undefined,
    start: async () => {
      const running = await open();
      const load: HubLoad = {
        ...shape,
        wire,
        port: running.port,
        pids: running.pids,
        subscribers: 8,
        bytes: 128,
      };
      const measure = async (): Promise<Measured> => {
        const result = await loadHub(load);
        const { cpuSecondsPerMillion: cpu, perSecond: rate, generatorShare: generator } = result;
        return defined({ cpu, rate, generator, p50: result.p50Ms, p99: result.p99Ms });
      };
      return { measure, stop: running.stop };
    },
  };
}

async function startNats(): Promise<Running & { readonly port: number }> {
  const port = await freePort();
  const running = await start('nats-server', ['-a', '127.0.0.1', '-p', String(port)], () => listens(port));
  return { port, ...running };
}

function defined(measured: Record<string, number | null | undefined>): Measured {
  return Object.fromEntries(
    Object.entries(measured).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}
