import cluster from 'node:cluster';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FakeWorker, fakeWorkers } from '../../testing/fake-worker.ts';
import type { WorkerOptions } from './messages.ts';
import { RESTART_BACKOFF_DEFAULTS } from './restart-backoff.ts';
import { WorkerSlot } from './worker-slot.ts';

const ORDER = { windowMs: 1_000, reason: 'going_away', handshakes: 'reject' } as const;

const events = {
  hub: vi.fn(),
  ended: vi.fn(),
  listening: vi.fn(),
  failed: vi.fn(),
  accepted: vi.fn(),
  report: vi.fn(),
  died: vi.fn(),
  hangs: vi.fn(),
  changed: vi.fn(),
};
let workers: FakeWorker[];
let slot: WorkerSlot;

beforeEach(() => {
  vi.useFakeTimers();
  workers = fakeWorkers();
  slot = new WorkerSlot({ index: 7 } as WorkerOptions, events, RESTART_BACKOFF_DEFAULTS);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.clearAllMocks();
});

function theWorker(): FakeWorker {
  const worker = workers.at(-1);
  if (worker === undefined) throw new Error('No worker was started.');
  return worker;
}

function startUp(): FakeWorker {
  slot.start(true);
  const worker = theWorker();
  worker.load();
  worker.link();
  return worker;
}

describe('a start', () => {
  test('that may listen: starting, up, linked', () => {
    slot.start(true);
    expect([slot.state, slot.loaded, slot.listens]).toEqual(['starting', false, false]);
    theWorker().load();
    expect(theWorker().heard).toEqual(['start']);
    expect([slot.state, slot.loaded, slot.listens, slot.linked]).toEqual(['up', true, true, false]);
    theWorker().link();
    expect(slot.linked).toBe(true);
    expect(events.listening).toHaveBeenCalledOnce();
  });

  test('that may not listen yet reaches the hub first, and listens once when ordered to', () => {
    slot.start(false);
    theWorker().load();
    theWorker().link();
    expect([slot.state, slot.listens, slot.linked]).toEqual(['starting', false, true]);
    slot.listen();
    slot.listen();
    expect(theWorker().heard).toEqual(['start', 'listen']);
    expect([slot.state, slot.listens]).toEqual(['up', true]);
  });

  test('whose worker dies before it may listen: its successor may not either, and gets the order when it is loaded', () => {
    slot.start(false);
    theWorker().load();
    theWorker().end(3);
    expect(events.died).toHaveBeenCalledWith(slot, 'exit code 3', RESTART_BACKOFF_DEFAULTS.minMs);
    vi.advanceTimersByTime(RESTART_BACKOFF_DEFAULTS.minMs);
    expect([workers.length, slot.loaded, slot.linked]).toEqual([2, false, false]);
    slot.listen();
    expect(slot.listens).toBe(false);
    theWorker().load();
    expect(theWorker().heard).toEqual(['start']);
    expect(slot.listens).toBe(true);
  });
});

describe('a drain', () => {
  test('during the load of a worker is ordered after it, and no gateway starts', () => {
    slot.start(true);
    slot.drain(ORDER);
    theWorker().load();
    expect(theWorker().heard).toEqual(['drain']);
    theWorker().end(0);
    expect(slot.state).toBe('gone');
  });

  test('during the backoff ends the slot, and no worker is started', () => {
    slot.start(true);
    theWorker().end('SIGKILL');
    slot.drain(ORDER);
    vi.advanceTimersByTime(60_000);
    expect(slot.state).toBe('gone');
    expect(cluster.fork).toHaveBeenCalledOnce();
  });

  test('is ordered once, and a worker that dies in it has no successor', () => {
    startUp();
    slot.drain(ORDER);
    slot.drain({ ...ORDER, windowMs: 0 });
    expect(theWorker().heard).toEqual(['start', 'drain']);
    theWorker().end('SIGSEGV');
    vi.advanceTimersByTime(60_000);
    expect([slot.state, workers.length]).toEqual(['gone', 1]);
    expect(events.died).not.toHaveBeenCalled();
  });
});

describe('a retired worker', () => {
  test('listens until it has confirmed the order', () => {
    const worker = startUp();
    worker.retires = false;
    slot.retire();
    expect([slot.state, slot.listens]).toEqual(['retired', true]);
    worker.say({ type: 'retired' });
    expect([slot.state, slot.listens]).toEqual(['retired', false]);
    slot.drain(ORDER);
    worker.end(0);
    expect(slot.state).toBe('gone');
    expect(worker.heard).toEqual(['start', 'retire', 'drain']);
  });

  test('that dies has no successor, and its death is reported', () => {
    startUp();
    slot.retire();
    theWorker().end('SIGKILL');
    vi.advanceTimersByTime(60_000);
    expect([slot.state, slot.listens, workers.length]).toEqual(['gone', false, 1]);
    expect(events.died).toHaveBeenCalledWith(slot, 'signal SIGKILL');
  });

  test('that hangs is killed', () => {
    const worker = startUp();
    slot.retire();
    for (let seconds = 0; seconds < 16; seconds++) slot.tick(1_000);
    expect(worker.process.kill).toHaveBeenCalled();
    expect(slot.state).toBe('gone');
  });

  test('without a gateway yet ends the start', () => {
    slot.start(false);
    slot.retire();
    theWorker().load();
    expect(theWorker().heard).toEqual(['drain']);
  });
});

test('a process that cannot be spawned is tried again after the backoff', () => {
  vi.mocked(cluster.fork).mockImplementationOnce(() => {
    throw new Error('spawn ENOMEM');
  });
  slot.start(true);
  expect(events.died).toHaveBeenCalledWith(slot, 'spawn ENOMEM', RESTART_BACKOFF_DEFAULTS.minMs);
  expect([slot.state, slot.restarts]).toEqual(['waiting', 0]);
  vi.advanceTimersByTime(RESTART_BACKOFF_DEFAULTS.minMs);
  expect([slot.state, slot.restarts]).toEqual(['starting', 1]);
  theWorker().load();
  expect(theWorker().heard).toEqual(['start']);
});

test('a silent worker that listens is killed after 15 s; one that loads has a minute', () => {
  slot.start(true);
  const worker = theWorker();
  const silent = (): boolean => worker.process.kill.mock.calls.length > 0;
  for (let seconds = 0; seconds < 60; seconds++) slot.tick(1_000);
  expect(silent()).toBe(false);
  worker.load();
  for (let seconds = 0; seconds < 15; seconds++) slot.tick(1_000);
  expect(silent()).toBe(false);
  slot.tick(1_000);
  expect(silent()).toBe(true);
  expect(events.hangs).toHaveBeenCalledOnce();
});

test('health checks fail on a worker that takes the place of one that died meanwhile', () => {
  const first = startUp();
  slot.failHealth();
  expect(first.heard).toEqual(['start', 'fail_health']);
  first.end('SIGKILL');
  vi.advanceTimersByTime(RESTART_BACKOFF_DEFAULTS.minMs);
  theWorker().load();
  expect(theWorker().heard).toEqual(['start', 'fail_health']);
});
