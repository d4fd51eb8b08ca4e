import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

const RATE = { perSecond: 10, burst: 20 };

function takeMany(limit: RateLimit, count: number, nowMs: number): number {
  let taken = 0;
  for (let index = 0; index < count; index++) if (limit.take(RATE, nowMs) === 'ok') taken += 1;
  return taken;
}

test('a burst passes at once, and no more', () => {
  expect(takeMany(new RateLimit(RATE, 5_000), 100, 5_000)).toBe(20);
});

test('tokens refill over time, up to the burst', () => {
  const limit = new RateLimit(RATE, 0);
  expect(takeMany(limit, 100, 0)).toBe(20);
  expect(takeMany(limit, 100, 99)).toBe(0);
  expect(takeMany(limit, 100, 100)).toBe(1);
  expect(takeMany(limit, 100, 1_100)).toBe(10);
  expect(takeMany(limit, 100, 3_600_000)).toBe(20);
});

test('the rate is exact over time, at any frequency of calls', () => {
  const limit = new RateLimit(RATE, 0);
  let taken = 0;
  for (let nowMs = 0; nowMs <= 60_000; nowMs += 7) taken += takeMany(limit, 3, nowMs);
  expect(taken).toBeGreaterThanOrEqual(618);
  expect(taken).toBeLessThanOrEqual(620);
});
