import { groupsCandidate, groupsText } from './load/groups-bench.ts';
import { type HubWire, NATIVE, NATS, PHP, REDIS } from './load/hub-wire.ts';
import { parts } from './parts.ts';
import {
  type Candidate,
  type Check,
  HUB_SECONDS_MAX,
  type Metric,
  type Scenario,
  type Setting,
} from './scenario.ts';
import { candidate, coldCandidate, type HubShape, hubCandidate, startNats } from './systems/candidates.ts';
import { GROUPCAST, GROUPCAST_8, groupcastWithout, largeGroupcast, startHub } from './systems/groupcast.ts';
import { versionOf } from './systems/prepare.ts';
import type { System } from './systems/system.ts';
import { FLOOR, FLOOR_BATCH, SOCKET_IO_2, startRedis } from './systems/systems.ts';
import { withTokens } from './systems/with-tokens.ts';

/** Limits of the cost of a connection with its join, and of the memory that it holds while idle. */
const CONNECT_MICROS_MAX = 120;
/** Limit of what a token adds to the cost of a connection. */
const TOKEN_MICROS_MAX = 100;
const MEMORY_BYTES_MAX = 5.5 * 1024;

/**
 * Limit in CPU seconds per million deliveries from PHP to PHP: a fifth of the hub of PHP's Channel,
 * which needs 5.0 to 5.6 s for the same messages on the same machine.
 */
const PHP_CPU_MAX = 1;

export function scenarios(all: readonly System[], setting: Setting): readonly Scenario[] {
  return [
    ...fanOuts(all, setting),
    ...lightLoads(all),
    ...connections(all),
    ...tokens(setting),
    ...hubs(setting),
    ...growths(setting),
    ...parts(setting),
  ];
}

function without(all: readonly System[], ...names: string[]): readonly System[] {
  return all.filter(({ name }) => !names.includes(name));
}

function only(all: readonly System[], ...names: string[]): readonly System[] {
  return all.filter(({ name }) => names.includes(name));
}

function loadFor({ seconds }: Setting, ...args: string[]): string[] {
  return [...args, '--seconds', String(seconds)];
}

function steady(systems: readonly System[], args: readonly string[], warm = false): readonly Candidate[] {
  return systems.map((system) => candidate(system, args, warm));
}

function fanOuts(all: readonly System[], setting: Setting): readonly Scenario[] {
  const shared = { metric: 'cpu', fresh: false } as const;
  const batched = without(all, FLOOR, GROUPCAST_8);
  return [
    {
      ...shared,
      name: 'fanout-w1',
      title: 'One group of 1,000 members, 128 bytes, one message at a time',
      baseline: FLOOR,
      checks: [{ of: GROUPCAST, metric: 'cpu', over: { candidate: FLOOR, metric: 'cpu' }, most: 1.35 }],
      candidates: steady(without(all, FLOOR_BATCH, GROUPCAST_8), loadFor(setting, '--scenario', 'fanout')),
    },
    {
      ...shared,
      name: 'fanout-w8',
      title: 'The same with 8 messages in flight',
      baseline: FLOOR_BATCH,
      checks: [{ of: GROUPCAST, metric: 'cpu', over: { candidate: FLOOR_BATCH, metric: 'cpu' }, most: 1.9 }],
      candidates: steady(batched, loadFor(setting, '--scenario', 'fanout', '--window', '8')),
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
      candidates: steady(without(all, FLOOR_BATCH), loadFor(setting, '--scenario', 'groups')),
    },
    {
      ...shared,
      name: 'groups-w8',
      title: 'The same with 8 messages in flight in each group',
      baseline: SOCKET_IO_2,
      checks: [{ of: GROUPCAST, metric: 'cpu', over: { candidate: SOCKET_IO_2, metric: 'cpu' }, most: 0.25 }],
      candidates: steady(batched, loadFor(setting, '--scenario', 'groups', '--window', '8')),
    },
  ];
}

function lightLoads(all: readonly System[]): readonly Scenario[] {
  return [
    {
      name: 'latency',
      title: 'Light load: 1,000 members in 100 groups, 200 messages per second in total, after a warm-up',
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
      title: 'Light load in the first ten seconds after the start, beside the same when warm',
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
      title: '10,000 connections as fast as possible, 256 at a time, each joins one of 1,000 groups',
      metric: 'connect',
      checks: [{ of: GROUPCAST, metric: 'connect', most: CONNECT_MICROS_MAX }],
      fresh: true,
      baseline: FLOOR,
      candidates: steady(without(all, FLOOR_BATCH, GROUPCAST_8), ['--scenario', 'storm']),
    },
    {
      name: 'idle-30k',
      title: '30,000 idle connections in 1,000 groups',
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

/** Cost of tokens, in handshakes and in memory. */
function tokens({ root }: Setting): readonly Scenario[] {
  const none = groupcastWithout(root, GROUPCAST, {});
  const hs256 = withTokens(root, 'groupcast, HS256', 'HS256');
  const es256 = withTokens(root, 'groupcast, ES256', 'ES256');
  return [
    {
      name: 'storm-tokens',
      title: 'The same storm, without tokens and with one for each connection',
      metric: 'connect',
      checks: [{ of: hs256.name, metric: 'connect', most: CONNECT_MICROS_MAX + TOKEN_MICROS_MAX }],
      fresh: true,
      baseline: GROUPCAST,
      candidates: steady([none, hs256, es256], ['--scenario', 'storm']),
    },
    {
      name: 'idle-30k-tokens',
      title: '30,000 idle connections in 1,000 groups, without tokens and with those of 30,000 users',
      metric: 'memory',
      checks: [
        { of: hs256.name, metric: 'memory', over: { candidate: GROUPCAST, metric: 'memory' }, most: 1.6 },
      ],
      fresh: true,
      baseline: GROUPCAST,
      candidates: steady([none, hs256], ['--scenario', 'idle', '--members', '30000', '--seconds', '3']),
    },
  ];
}

function hubs(setting: Setting): readonly Scenario[] {
  const seconds = Math.min(setting.seconds, HUB_SECONDS_MAX);
  const one = { publishers: 1, channels: 1, seconds };
  return [
    hub(
      setting,
      'hub-1to8',
      'The hub alone: 1 publisher, 8 subscribers, 1 channel, 128 bytes, 256 in flight',
      {
        ...one,
        window: 256,
      },
    ),
    {
      ...hub(
        setting,
        'hub-php-1to8',
        "The hub alone, from PHP to PHP: the same messages, in PHP's own format",
        {
          ...one,
          window: 256,
        },
      ),
      baseline: NATIVE.name,
      checks: [{ of: PHP.name, metric: 'cpu', most: PHP_CPU_MAX }],
      candidates: [PHP, nativeOf(setting)].map((wire) => ourHub(setting.root, wire, { ...one, window: 256 })),
    },
    hub(
      setting,
      'hub-8to8',
      'The hub alone: 8 publishers, 8 subscribers of all 1,000 channels, 256 in flight each',
      {
        publishers: 8,
        channels: 1_000,
        window: 256,
        seconds,
      },
    ),
    {
      ...hub(
        setting,
        'hub-latency',
        'The hub alone: 2,000 messages a second, one at a time, to 8 subscribers',
        {
          ...one,
          rate: 2_000,
        },
      ),
      metric: 'p99',
      checks: overPeers('p99', 1),
    },
  ];
}

/** Costs with a growing number of everything. */
function growths(setting: Setting): readonly Scenario[] {
  const members = [1_000, 10_000, 50_000];
  const groups = [10, 1_000, 100_000];
  const inWorker = { checks: [], fresh: true, baseline: groupsText(10) } as const;
  return [
    {
      name: 'growth-connections',
      title: 'A delivery with a growing number of connections in groups of 10, one message at a time in each',
      metric: 'cpu',
      checks: [],
      fresh: true,
      baseline: connectionsText(1_000),
      candidates: members.map((count) => ({
        ...candidate(largeGroupcast(setting.root), loadFor(setting, ...membersArgs(count)), false),
        name: connectionsText(count),
      })),
    },
    {
      ...inWorker,
      name: 'growth-groups',
      title: 'A message within a worker, without sockets, with a growing number of groups of two',
      metric: 'message',
      candidates: groups.map((count) => groupsCandidate(setting.root, count, 'message')),
    },
    {
      ...inWorker,
      name: 'growth-joins',
      title: 'A join and a leave within a worker with a growing number of groups of two',
      metric: 'membership',
      candidates: groups.map((count) => groupsCandidate(setting.root, count, 'membership')),
    },
  ];
}

function membersArgs(count: number): readonly string[] {
  return ['--scenario', 'groups', '--members', String(count), '--groups', String(count / 10)];
}

function connectionsText(members: number): string {
  return `${members.toLocaleString('en')} connections`;
}

function ourHub(root: string, wire: HubWire, shape: HubShape): Candidate {
  const version = 'history and offsets on';
  return { ...hubCandidate(wire, version, () => startHub(root), shape), isOurs: true };
}

function nativeOf({ nativeWire = NATIVE }: Setting): HubWire {
  return nativeWire;
}

function hub(setting: Setting, name: string, title: string, shape: HubShape): Scenario {
  return {
    name,
    title,
    metric: 'cpu',
    fresh: false,
    baseline: REDIS.name,
    checks: overPeers('cpu', 0.5),
    candidates: [
      ourHub(setting.root, nativeOf(setting), shape),
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
