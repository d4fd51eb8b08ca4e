import cluster, { type Worker } from 'node:cluster';
import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ToWorker } from './messages.ts';
import { RESTART_BACKOFF_DEFAULTS } from './restart-backoff.ts';
import type { WorkerOptions } from './worker-options.ts';
import { WorkerSlot } from './worker-slot.ts';

/** A worker without a process. Like a real one it loses what it is told before it is loaded. */
class FakeWorker extends EventEmitter {
  readonly heard: ToWorker['type'][] = [];
  readonly process = { pid: 1, kill: vi.fn() };
  #loaded = false;

  isConnected(): boolean {
    return true;
  }

  send(message: ToWorker): void {
    if (this.#loaded) this.heard.push(message.type);
  }

  load(): void {
    this.#loaded = true;
    this.emit('message', { type: 'loaded' });
  }
}

const events = {
  listening: vi.fn(),
  failed: vi.fn(),
  report: vi.fn(),
  died: vi.fn(),
  hangs: vi.fn(),
  gone: vi.fn(),
};
let worker: FakeWorker;
let slot: WorkerSlot;

beforeEach(() => {
  vi.useFakeTimers();
  worker = new FakeWorker();
  vi.spyOn(cluster, 'fork').mockImplementation(() => worker as unknown as Worker);
  slot = new WorkerSlot({} as WorkerOptions, events, RESTART_BACKOFF_DEFAULTS);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.clearAllMocks();
});

describe('a drain', () => {
  test('that comes while the worker still loads is told again, and no gateway starts', () => {
    slot.start();
    slot.drain(1_000, 'going_away');
    worker.load();
    expect(worker.heard).toEqual(['drain']);
    worker.emit('exit', 0, null);
    expect(slot.state).toBe('gone');
    expect(events.gone).toHaveBeenCalledOnce();
  });

  test('while the next worker is waited for ends the slot, and none is started', () => {
    slot.start();
    worker.emit('exit', null, 'SIGKILL');
    slot.drain(1_000, 'going_away');
    vi.advanceTimersByTime(60_000);
    expect(slot.state).toBe('gone');
    expect(cluster.fork).toHaveBeenCalledOnce();
  });
});

test('a process that cannot be made at all is tried again after the backoff', () => {
  vi.mocked(cluster.fork).mockImplementationOnce(() => {
    throw new Error('spawn ENOMEM');
  });
  slot.start();
  expect(events.died).toHaveBeenCalledWith(slot, 'spawn ENOMEM', RESTART_BACKOFF_DEFAULTS.minMs);
  expect([slot.state, slot.restarts]).toEqual(['waiting', 0]);
  vi.advanceTimersByTime(RESTART_BACKOFF_DEFAULTS.minMs);
  expect([slot.state, slot.restarts]).toEqual(['starting', 1]);
  worker.load();
  expect(worker.heard).toEqual(['start']);
});

test('a silent worker that listens is killed after 15 s; one that loads has a minute', () => {
  const silent = (): boolean => worker.process.kill.mock.calls.length > 0;
  slot.start();
  for (let seconds = 0; seconds < 60; seconds++) slot.tick(1_000);
  expect(silent()).toBe(false);
  worker.load();
  worker.emit('message', { type: 'listening', address: { address: '127.0.0.1', port: 1, family: 'IPv4' } });
  for (let seconds = 0; seconds < 15; seconds++) slot.tick(1_000);
  expect(silent()).toBe(false);
  slot.tick(1_000);
  expect(silent()).toBe(true);
  expect(events.hangs).toHaveBeenCalledOnce();
});
