import { afterEach, describe, expect, test, vi } from 'vitest';
import { backoffMs } from './backoff.ts';

const BOUNDS = [500, 20_000] as const;

afterEach(() => {
  vi.restoreAllMocks();
});

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

describe('backoffMs', () => {
  test.each([
    [0, 500],
    [1, 1_000],
    [5, 16_000],
    [6, 20_000],
    [5_000, 20_000],
    [Number.MAX_SAFE_INTEGER, 20_000],
  ])('attempt %d waits less than %d ms', (attempt, bound) => {
    const random = vi.spyOn(Math, 'random');
    expect(
      [0, 0.5, 0.999].map((draw) => random.mockReturnValue(draw) && backoffMs(attempt, ...BOUNDS)),
    ).toEqual([0, bound / 2, bound * 0.999]);
  });

  test('10,000 clients spread evenly over the whole wait', () => {
    vi.spyOn(Math, 'random').mockImplementation(drawsFrom(20_261_123));
    const buckets = new Array<number>(20).fill(0);
    for (let client = 0; client < 10_000; client += 1) {
      const bucket = Math.floor((backoffMs(9, ...BOUNDS) / BOUNDS[1]) * buckets.length);
      buckets[bucket] = buckets[bucket]! + 1;
    }
    const expected = 10_000 / buckets.length;
    const chiSquare = buckets.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
    // 19 degrees of freedom: an even spread exceeds 43.8 once in a thousand seeds.
    expect(chiSquare).toBeLessThan(43.8);
  });
});
