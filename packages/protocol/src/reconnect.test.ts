import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reconnectDelayMs } from './reconnect.ts';

const BOUNDS = { minMs: 500, maxMs: 20_000 };
const ALMOST_ONE = 1 - 2 ** -53;

/** mulberry32: the same draws in every run, so that a test of chances never fails by chance. */
function drawsFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('reconnectDelayMs', () => {
  test.each([
    [0, 500],
    [1, 1_000],
    [2, 2_000],
    [5, 16_000],
    [6, 20_000],
    [7, 20_000],
    [1_000_000, 20_000],
    [Number.MAX_SAFE_INTEGER, 20_000],
  ])('attempt %d waits less than %d ms', (attempt, bound) => {
    expect(reconnectDelayMs(attempt, BOUNDS, 0)).toBe(0);
    expect(reconnectDelayMs(attempt, BOUNDS, 0.5)).toBe(bound / 2);
    expect(reconnectDelayMs(attempt, BOUNDS, ALMOST_ONE)).toBeLessThan(bound);
    expect(reconnectDelayMs(attempt, BOUNDS, ALMOST_ONE)).toBeGreaterThan(bound * 0.999);
  });

  test('a minimum above the maximum waits no longer than the maximum', () => {
    expect(reconnectDelayMs(0, { minMs: 5_000, maxMs: 100 }, ALMOST_ONE)).toBeLessThan(100);
  });

  test('a minimum of 0 never waits, however many attempts failed', () => {
    expect(reconnectDelayMs(5_000, { minMs: 0, maxMs: 20_000 }, 0.5)).toBe(0);
  });

  test('is in bounds for all attempts and draws', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.nat(), random, (attempt, draw) => {
        const delay = reconnectDelayMs(attempt, BOUNDS, draw);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThan(BOUNDS.maxMs);
      }),
    );
  });

  test('10,000 clients spread evenly over the whole wait', () => {
    const draw = drawsFrom(20_241_126);
    const buckets = new Array<number>(20).fill(0);
    for (let client = 0; client < 10_000; client++) {
      const bucket = Math.floor((reconnectDelayMs(9, BOUNDS, draw()) / BOUNDS.maxMs) * buckets.length);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    const expected = 10_000 / buckets.length;
    const chiSquare = buckets.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
    // 19 degrees of freedom: an even spread exceeds 43.8 once in a thousand seeds.
    expect(chiSquare).toBeLessThan(43.8);
    // And half jitter, which leaves the first half of the wait empty, would be seen.
    expect(Math.min(...buckets)).toBeGreaterThan(0.8 * expected);
  });
});
