import { SILENT_LOG } from '@groupcast/service';
import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FakeWorker, fakeWorkers } from '../../testing/fake-worker.ts';
import type { BringUpTimes } from './bring-up.ts';
import type { GatewaySettings } from './generation.ts';
import type { ToWorker, WorkerOptions } from './messages.ts';
import { Primary } from './primary.ts';

/** Nothing is waited for in vain but what the test lets fail. */
const PATIENT: BringUpTimes = { loadMs: 60_000, hubMs: 60_000, hubLooks: 1, listenMs: 60_000 };
const SHORT = { hubMs: 5, hubLooks: 2 };
const DRAIN = { delayMs: 0, windowMs: 0, reason: 'going_away' } as const;
const RESTART = { minMs: 1, maxMs: 1, healthyMs: 60_000 };

let workers: FakeWorker[];
const log = { ...SILENT_LOG, warn: vi.fn(), error: vi.fn() };
let primary: Primary;

beforeEach(() => {
  workers = fakeWorkers();
});
afterEach(async () => {
  const drained = primary.drain(DRAIN);
  await endAll(drained);
  vi.restoreAllMocks();
  vi.clearAllMocks();
});

async function endAll(drained: Promise<unknown>): Promise<void> {
  let over = false;
  const end = drained.then(() => {
    over = true;
  });
  await untilTurn(() => {
    for (const worker of workers) worker.end(0);
    return over;
  });
  await end;
}

function settings(count: number, values: { port?: number; messageBytesMax?: number } = {}): GatewaySettings {
  const worker = {
    gateway: { host: ['127.0.0.1'], port: 0, ...values },
    hub: { host: '127.0.0.1', port: 2206 },
    drainMs: 0,
  } as unknown as WorkerOptions;
  return { workers: count, drainDelayMs: 0, worker };
}

/** A primary with as many workers that are up, and have reached the hub. */
async function started(count: number, times: Partial<BringUpTimes> = {}): Promise<void> {
  primary = new Primary({
    settings: settings(count),
    log,
    restart: RESTART,
    bringUp: { ...PATIENT, ...times },
  });
  const up = primary.start();
  await untilTurn(() => workers.length === count);
  for (const worker of workers) {
    worker.load();
    worker.link();
  }
  expect(await up).toMatchObject({ port: 1 });
}

function untilTold(worker: FakeWorker | undefined, type: ToWorker['type']): Promise<void> {
  return untilTurn(() => worker?.heard.includes(type) ?? false);
}

/** Resolves with the workers after the first `first`, once there are `count` of them. */
async function startedAfter(first: number, count: number): Promise<readonly FakeWorker[]> {
  await untilTurn(() => workers.length === first + count);
  return workers.slice(first);
}

describe('a reload', () => {
  test('new workers listen when all of them have reached the hub; then all old ones retire, and drain one by one', async () => {
    await started(2);
    const [one, two] = workers;
    const reload = primary.reload(settings(2, { messageBytesMax: 300 }));
    const next = await startedAfter(2, 2);
    expect(primary.reloadPhase).toBe('starting');
    for (const worker of next) worker.load();
    next[0]?.link();
    expect(next.map(({ heard }) => heard)).toEqual([['start'], ['start']]);
    expect(next[0]?.options).toMatchObject({ index: 0, gateway: { messageBytesMax: 300 } });
    expect([one?.heard, primary.generation, primary.unreadiness]).toEqual([['start'], 1, undefined]);

    next[1]?.link();
    await untilTold(one, 'drain');
    expect(next.map(({ heard }) => heard)).toEqual([
      ['start', 'listen'],
      ['start', 'listen'],
    ]);
    expect([one?.heard, two?.heard]).toEqual([
      ['start', 'retire', 'drain'],
      ['start', 'retire'],
    ]);
    expect([primary.reloadPhase, primary.generation, primary.unreadiness]).toEqual([
      'draining',
      2,
      undefined,
    ]);
    one?.end(0);
    await untilTold(two, 'drain');
    two?.end(0);
    await reload;
    expect([primary.reloadPhase, primary.restarts, workers.length]).toEqual(['idle', 0, 4]);
    expect((await primary.report()).map(({ index }) => index)).toEqual([0, 1]);
  });

  test('no old worker drains before all of them have stopped listening', async () => {
    await started(2);
    const [one, two] = workers;
    if (two !== undefined) two.retires = false;
    const reload = primary.reload(settings(1));
    const [next] = await startedAfter(2, 1);
    next?.load();
    next?.link();
    await untilTold(one, 'retire');
    expect(one?.heard).not.toContain('drain');
    two?.say({ type: 'retired' });
    await untilTold(one, 'drain');
    one?.end(0);
    await untilTold(two, 'drain');
    two?.end(0);
    await reload;
    expect(primary.settings.workers).toBe(1);
  });

  test('the new workers have the numbers of the old ones', async () => {
    await started(2);
    for (const [count, indexes] of [
      [3, [0, 1, 2]],
      [2, [0, 1]],
    ] as const) {
      const first = workers.length;
      const old = [...workers];
      const reload = primary.reload(settings(count));
      const next = await startedAfter(first, count);
      for (const worker of next) {
        worker.load();
        worker.link();
      }
      expect(next.map(({ options }) => options?.index)).toEqual(indexes);
      let over = false;
      void reload.then(() => {
        over = true;
      });
      await untilTurn(() => {
        for (const worker of old) if (worker.heard.includes('drain')) worker.end(0);
        return over;
      });
    }
  });

  test('a new worker that dies is restarted, also while the old ones drain', async () => {
    await started(1);
    const reload = primary.reload(settings(1));
    const [first] = await startedAfter(1, 1);
    first?.load();
    first?.end(1);
    const [second] = await startedAfter(2, 1);
    second?.load();
    second?.link();
    await untilTold(workers[0], 'drain');
    second?.end('SIGKILL');
    const [third] = await startedAfter(3, 1);
    third?.load();
    expect(third?.heard).toEqual(['start']);
    workers[0]?.end(0);
    await reload;
    expect(primary.restarts).toBe(2);
  });
});

describe('a reload fails when', () => {
  /** The old worker goes on as if nothing had been. */
  function expectUntouched(generation = 1): void {
    expect(workers[0]?.heard.filter((type) => type !== 'report')).toEqual(['start']);
    expect([primary.generation, primary.reloadPhase, primary.state]).toEqual([generation, 'idle', 'up']);
    expect(primary.unreadiness).toBeUndefined();
  }

  test('the new workers cannot listen', async () => {
    await started(1);
    const reload = primary.reload(settings(1, { port: 80 }));
    const failed = expect(reload).rejects.toMatchObject({
      code: 'listen_failed',
      message: expect.stringContaining('127.0.0.1:80'),
    });
    const [next] = await startedAfter(1, 1);
    if (next !== undefined) next.listenError = 'EACCES';
    next?.load();
    next?.link();
    await untilTold(next, 'drain');
    next?.end(0);
    await failed;
    expectUntouched();
  });

  test('the new workers die repeatedly', async () => {
    await started(1);
    const failed = expect(primary.reload(settings(1))).rejects.toMatchObject({ code: 'workers_die' });
    for (let death = 0; death < 3; death++) {
      const [next] = await startedAfter(1 + death, 1);
      next?.end(3);
    }
    await failed;
    expect(workers).toHaveLength(4);
    expectUntouched();
  });

  test('the new workers do not load in time', async () => {
    await started(1, { loadMs: 5 });
    const failed = expect(primary.reload(settings(1))).rejects.toMatchObject({ code: 'too_slow' });
    const [next] = await startedAfter(1, 1);
    // This timer is set after that of the deadline, and for longer.
    await new Promise((resolve) => setTimeout(resolve, 10));
    next?.load();
    expect(next?.heard).toEqual(['drain']);
    next?.end(0);
    await failed;
    expectUntouched();
  });

  test('the new workers do not reach the hub, though the old one is connected', async () => {
    await started(1, SHORT);
    const failed = expect(primary.reload(settings(1))).rejects.toMatchObject({ code: 'hub_unreachable' });
    const [next] = await startedAfter(1, 1);
    if (next !== undefined) next.hub = 'waiting';
    next?.load();
    await untilTold(next, 'drain');
    expect(next?.heard).not.toContain('listen');
    next?.end(0);
    await failed;
    expectUntouched();
  });
});

test('while the hub is unreachable new workers serve without it, and the gateway stays ready', async () => {
  await started(1, SHORT);
  for (const worker of workers) worker.hub = 'waiting';
  const reload = primary.reload(settings(1));
  const [next] = await startedAfter(1, 1);
  if (next !== undefined) next.hub = 'waiting';
  next?.load();
  await untilTold(workers[0], 'drain');
  expect(primary.unreadiness).toBeUndefined();
  workers[0]?.end(0);
  await reload;
  expect(log.warn).toHaveBeenCalledWith(
    { hub: '127.0.0.1:2206' },
    expect.stringContaining('hub unreachable'),
  );
  expect(primary.unreadiness).toBeUndefined();
  // Having had the hub once, it is judged as all others: a successor that does not reach it does
  // not serve.
  next?.link();
  next?.end('SIGKILL');
  const [successor] = await startedAfter(2, 1);
  successor?.load();
  expect(primary.unreadiness).toBe('0 of 1 workers listen and have reached the hub');
});

test('workers are told whether the gateway is ready, the new ones of a reload at once', async () => {
  await started(2);
  expect(workers.map(({ isReady }) => isReady)).toEqual([true, true]);
  const reload = primary.reload(settings(1));
  const [next] = await startedAfter(2, 1);
  next?.load();
  expect(next?.isReady).toBe(true);
  next?.link();
  await untilTold(next, 'listen');
  next?.end('SIGKILL');
  const [successor] = await startedAfter(3, 1);
  await untilTurn(() => workers[0]?.isReady === false);
  successor?.load();
  expect(successor?.isReady).toBe(false);
  successor?.link();
  await untilTurn(() => successor?.isReady === true);
  for (const worker of workers.slice(0, 2)) worker.end(0);
  await reload;
});

describe('a drain', () => {
  test('of the gateway while new workers start ends both generations, and the reload', async () => {
    await started(1);
    const reload = expect(primary.reload(settings(1))).rejects.toMatchObject({ code: 'draining' });
    const [next] = await startedAfter(1, 1);
    next?.load();
    const drained = primary.drain(DRAIN);
    expect(primary.unreadiness).toBe('the gateway is draining');
    await untilTold(workers[0], 'drain');
    await untilTold(next, 'drain');
    expect(next?.heard).not.toContain('listen');
    await endAll(drained);
    await reload;
    expect(primary.state).toBe('gone');
    await expect(primary.reload(settings(1))).rejects.toMatchObject({ code: 'draining' });
  });

  test('while old workers drain ends all that are left, also those that have not started to', async () => {
    await started(2);
    const reload = primary.reload(settings(1));
    const [next] = await startedAfter(2, 1);
    next?.load();
    next?.link();
    await untilTold(workers[0], 'drain');
    const drained = primary.drain(DRAIN);
    await untilTurn(() => workers.every(({ heard }) => heard.includes('drain')));
    await endAll(drained);
    await reload;
    expect(primary.state).toBe('gone');
  });

  test('before the workers listen: the start resolves with nothing', async () => {
    primary = new Primary({ settings: settings(1), log });
    const up = primary.start();
    const [worker] = await startedAfter(0, 1);
    const drained = primary.drain(DRAIN);
    worker?.load();
    expect(worker?.heard).toEqual(['drain']);
    await endAll(drained);
    expect(await up).toBeUndefined();
  });

  test('waits before it closes the port, and is not ready from the first moment', async () => {
    await started(1);
    const drained = primary.drain({ ...DRAIN, delayMs: 50 });
    expect([primary.state, workers[0]?.heard]).toEqual(['draining', ['start', 'fail_health']]);
    await untilTold(workers[0], 'drain');
    expect(workers[0]?.heard).toEqual(['start', 'fail_health', 'retire', 'drain']);
    await endAll(drained);
  });
});

test('a worker that cannot listen fails the start', async () => {
  primary = new Primary({ settings: settings(1), log });
  const failed = expect(primary.start()).rejects.toMatchObject({ code: 'EADDRINUSE', syscall: 'listen' });
  const [worker] = await startedAfter(0, 1);
  if (worker !== undefined) worker.listenError = 'EADDRINUSE';
  worker?.load();
  await failed;
});
