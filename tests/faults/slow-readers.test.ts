import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { REPOSITORY, startProcess, TestClient, until } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { expectValid } from './expect-valid.ts';
import type { HistoryEvent } from './history/history-event.ts';
import { clockMs } from './history/history-log.ts';
import { latencies } from './history/latencies.ts';
import type { FaultContext } from './inject/fault.ts';
import { SMALL_LOAD } from './load/load.ts';
import { runOn } from './run.ts';

const MIB = 1024 * 1024;

/**
 * Room for all messages of a run: the test is about closed connections, not about the size of a
 * hub's history.
 */
const LONG_HISTORY = { historyCount: 100_000, historyBytes: 256 * MIB, historyTotalBytes: 1_024 * MIB };

const CARELESS_CLIENTS = fileURLToPath(new URL('./load/careless-clients.ts', import.meta.url));
const FLOOD_GROUP = 'flood';
const FLOOD_BYTES = 16 * 1024;
const FLOOD_PER_SECOND = 10;
const FAST_BYTES = 60 * 1024;
const FAST_PER_SECOND = 25;

/**
 * Bytes that a member with pending messages counts for at least; the messages' bytes count once for
 * all members.
 */
const WAITING_EACH_BYTES = 1_024;

const CALM_MS = 1_000;

/** Memory that a worker may keep: the garbage collector takes its time. */
const GROWTH_LEFT_MAX = 100 * MIB;

/** Publishes to the group of the members that never read. */
class Flood {
  isFast = false;
  readonly #url: string;
  #isOver = false;

  constructor(url: string) {
    this.#url = url;
  }

  async run(): Promise<void> {
    const publisher = await TestClient.open(this.#url);
    while (!this.#isOver) {
      const [bytes, perSecond] = this.isFast
        ? [FAST_BYTES, FAST_PER_SECOND]
        : [FLOOD_BYTES, FLOOD_PER_SECOND];
      publisher.sendCommand({ cmd: 'send_to_group', group_id: FLOOD_GROUP, message: 'f'.repeat(bytes) });
      await delay(1_000 / perSecond);
    }
    await publisher.close();
  }

  stop(): void {
    this.#isOver = true;
  }
}

/**
 * Returns the p99 of each second, in milliseconds: one second with a hiccup of the machine has
 * little weight.
 */
function secondBySecond(events: readonly HistoryEvent[], fromMs: number, toMs: number): readonly number[] {
  const seconds = Math.floor((toMs - fromMs) / 1_000);
  return Array.from({ length: seconds }, (_, second) => {
    const startMs = fromMs + second * 1_000;
    return latencies(events, startMs, startMs + 1_000).p99;
  });
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.close();
});

interface Ends {
  readonly closed: Readonly<Record<string, number>>;
}

async function sumOfClosed({ first }: Cluster, reason: string): Promise<number> {
  const { workers } = await first.gateway.stats();
  return workers.reduce((sum, worker) => sum + ((worker as unknown as Ends).closed[reason] ?? 0), 0);
}

test('F8: members that stop reading are closed as slow, slow no other member down, and resume without a loss', async () => {
  const hosts = await Cluster.start({ hub: LONG_HISTORY, gateway: { recoveryMessagesMax: 100_000 } });
  cluster = hosts;
  const SLOW = 4;
  const stopReading = async ({ load, log }: FaultContext): Promise<void> => {
    const prove = log.addFault('members stopped reading');
    const sockets = load.members.slice(-SLOW).flatMap(({ tap }) => [...tap.sockets]);
    for (const socket of sockets) socket.pause();
    await until(
      () => sumOfClosed(hosts, 'slow'),
      'the gateway to close the slow readers',
      (count) => count === SLOW,
    );
    prove(`${SLOW} connections were closed as slow`);
    for (const socket of sockets) socket.resume();
    await load.untilJoined();
  };
  const load = { ...SMALL_LOAD, groups: 2, groupsPerMember: 1, members: 12, messageBytes: 32 * 1024 };
  const report = await runOn(hosts, stopReading, { load });
  expectValid(report);
  expect([...report.closes.values()].reduce((sum, count) => sum + count, 0)).toBe(SLOW);
  expect(report.verdict.counts.notRecovered.size).toBe(0);
  expect(report.verdict.counts.recovered).toBe(SLOW);
});

test('F8: a gateway that reads too slowly is closed by the hub, and recovers', async () => {
  const hosts = await Cluster.start({
    gateways: 2,
    workers: 1,
    hub: { ...LONG_HISTORY, peerBufferBytes: 2 * MIB },
    gateway: { recoveryMessagesMax: 100_000 },
  });
  cluster = hosts;
  // Publishers at the other gateway are not slowed down by this link.
  const { link } = hosts.first;
  const narrow = async ({ log }: FaultContext): Promise<void> => {
    const prove = log.addFault('link too narrow');
    link.set({ bytesPerSecond: 50_000 }, ['down']);
    const slow = await until(
      async () => Object.entries((await hosts.hub.stats())['closed'] as Ends['closed']),
      'the hub to close a slow gateway',
      (ends) => ends.some(([end, count]) => /slow/.test(end) && count > 0),
    );
    prove(JSON.stringify(slow));
    link.set({});
  };
  const load = { ...SMALL_LOAD, groups: 4, groupsPerMember: 1, members: 8, messageBytes: 32 * 1024 };
  const report = await runOn(hosts, narrow, { load });
  expectValid(report);
  expect(report.closes.size).toBe(0);
});

test('500 clients that never read: a limited cost in memory, which is freed, and none in the latency of others', async () => {
  const NEVER_READERS = 500;
  const GROWTH_MAX = 300 * MIB;
  const hosts = await Cluster.start();
  cluster = hosts;
  const { gateway } = hosts.first;
  const flood = new Flood(gateway.url);
  const sums = async (): Promise<{ readonly memory: number; readonly queued: number }> => {
    const { workers } = await gateway.stats();
    const queued = workers.reduce((sum, worker) => sum + Number(worker['bufferedBytes']), 0);
    return { memory: Math.max(...workers.map((worker) => Number(worker['memoryBytes']))), queued };
  };
  const times = { reading: 0, stopped: 0, full: 0, over: 0 };
  let before = 0;
  let most = 0;
  const report = await runOn(hosts, async ({ log }) => {
    const args = ['--import', 'tsx', CARELESS_CLIENTS, `${gateway.port}`, FLOOD_GROUP, `${NEVER_READERS}`];
    const careless = startProcess(process.execPath, args, { cwd: REPOSITORY });
    await careless.waitForLine(/joined/);
    const flooding = flood.run();
    await delay(CALM_MS);
    times.reading = clockMs();
    await delay(8 * CALM_MS);
    before = (await sums()).memory;
    times.stopped = clockMs();
    const prove = log.addFault('500 members never read');
    careless.kill('SIGUSR2');
    await careless.waitForLine(/stopped/);
    // At first the kernel buffers everything, megabytes for each: that phase is short, and not
    // measured.
    flood.isFast = true;
    await until(
      async () => (await sums()).queued,
      'bytes that the kernel does not accept',
      (queued) => queued > NEVER_READERS * WAITING_EACH_BYTES,
    );
    flood.isFast = false;
    await delay(CALM_MS);
    times.full = clockMs();
    await until(
      async () => {
        // Reading the stats costs the workers time as well.
        await delay(CALM_MS / 4);
        most = Math.max(most, (await sums()).memory);
        return sumOfClosed(hosts, 'slow');
      },
      'all of them to be closed as slow',
      (count) => count >= NEVER_READERS,
    );
    prove(`${NEVER_READERS} connections were closed as slow`);
    times.over = clockMs();
    flood.stop();
    await flooding;
    careless.kill('SIGKILL');
    await careless.exited;
    await until(
      async () => (await sums()).memory - before,
      'the memory to be freed',
      (grown) => grown < GROWTH_LEFT_MAX,
    );
  });
  expectValid(report);
  expect(report.closes).toEqual(new Map());
  const calm = secondBySecond(report.log.events, times.reading, times.stopped);
  const stormy = secondBySecond(report.log.events, times.full, times.over);
  const figures = JSON.stringify({ calm, stormy, grownMiB: (most - before) / MIB, times });
  expect(most - before, figures).toBeLessThan(GROWTH_MAX);
  expect(median(stormy), figures).toBeLessThan(2 * median(calm));
});
