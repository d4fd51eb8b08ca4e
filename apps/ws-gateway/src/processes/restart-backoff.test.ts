import { describe, expect, test } from 'vitest';
import { RestartBackoff } from './restart-backoff.ts';

describe('RestartBackoff', () => {
  test('doubles from 0.1 s to 30 s', () => {
    const backoff = new RestartBackoff();
    const delays = Array.from({ length: 11 }, () => backoff.next(10));
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  });

  test('starts over after a minute of health', () => {
    const backoff = new RestartBackoff();
    for (let death = 0; death < 5; death++) backoff.next(10);
    expect(backoff.next(59_999)).toBe(3_200);
    expect(backoff.next(60_000)).toBe(100);
    expect(backoff.next(10)).toBe(200);
  });
});
