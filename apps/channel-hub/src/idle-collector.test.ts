import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { busyShareOfLoop, collectNow, IdleCollector } from './idle-collector.ts';

const MIB = 1024 * 1024;
const IDLE = 0.01;
const BUSY = 0.5;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Returns at which seconds garbage was collected, for the history and load of each second. */
function collections(seconds: readonly (readonly [historyMib: number, busyShare: number])[]): number[] {
  const collected: number[] = [];
  let second = 0;
  const collector = new IdleCollector({
    historyBytes: () => (seconds[second]?.[0] ?? 0) * MIB,
    busyShare: () => seconds[second]?.[1] ?? 0,
    collect: () => collected.push(second),
  });
  for (; second < seconds.length; second++) vi.advanceTimersByTime(1_000);
  collector.close();
  expect(vi.getTimerCount()).toBe(0);
  return collected;
}

test('collects once after much history has expired', () => {
  expect(
    collections([
      [100, IDLE],
      [60, IDLE],
      [50, IDLE],
      [0, IDLE],
      [0, IDLE],
    ]),
  ).toEqual([2, 3]);
});

test('waits while the event loop is busy', () => {
  expect(
    collections([
      [100, BUSY],
      [0, BUSY],
      [0, BUSY],
      [0, IDLE],
      [0, IDLE],
    ]),
  ).toEqual([3]);
});

test('leaves little garbage to V8', () => {
  expect(
    collections([
      [31, IDLE],
      [0, IDLE],
      [31, IDLE],
      [0, IDLE],
    ]),
  ).toEqual([]);
});

test('does not stop the process for less than is kept', () => {
  expect(
    collections([
      [1_000, IDLE],
      [501, IDLE],
      [501, IDLE],
      [500, IDLE],
    ]),
  ).toEqual([3]);
});

test('the event loop is busy for a part of the time', () => {
  const busyShare = busyShareOfLoop();
  expect(busyShare()).toBeGreaterThanOrEqual(0);
  expect(busyShare()).toBeLessThanOrEqual(1);
});

test('garbage is collected', async () => {
  const reference = new WeakRef({});
  // A WeakRef keeps its object until the end of the turn.
  await new Promise(setImmediate);
  collectNow();
  expect(reference.deref()).toBeUndefined();
});
