import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Durations, histogramText } from './durations.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000 });
  vi.advanceTimersByTime(1);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets events of these durations pass, one after another. Returns how many are measured. */
function pass(durations: Durations, milliseconds: readonly number[]): number {
  let measured = 0;
  for (const ms of milliseconds) {
    const start = durations.start();
    if (start !== 0) measured += 1;
    vi.advanceTimersByTime(ms);
    durations.end(start);
  }
  return measured;
}

test('one in 16 events is measured, the first one included', () => {
  const durations = new Durations();
  expect(pass(durations, [2])).toBe(1);
  expect(pass(durations, new Array(15).fill(2))).toBe(0);
  expect(pass(durations, new Array(32).fill(2))).toBe(2);
  expect(durations.counts().buckets['0.003']).toBe(3);
  expect(durations.counts().sumSeconds).toBeCloseTo(0.006);
});

test('the text has cumulative buckets, the sum and the count of each worker', () => {
  const durations = new Durations();
  for (const ms of [2, 200, 20_000]) pass(durations, new Array(16).fill(ms));
  const text = histogramText('x_seconds', 'Help.', [{ index: 3, counts: durations.counts() }]);
  const lines = text.trimEnd().split('\n');
  expect(lines.slice(0, 3)).toEqual([
    '# HELP x_seconds Help.',
    '# TYPE x_seconds histogram',
    'x_seconds_bucket{worker="3",le="0.0001"} 0',
  ]);
  expect(lines).toContain('x_seconds_bucket{worker="3",le="0.003"} 1');
  expect(lines).toContain('x_seconds_bucket{worker="3",le="0.1"} 1');
  expect(lines).toContain('x_seconds_bucket{worker="3",le="10"} 2');
  expect(lines.slice(-3)).toEqual([
    'x_seconds_bucket{worker="3",le="+Inf"} 3',
    expect.stringMatching(/^x_seconds_sum\{worker="3"\} 20\.20/),
    'x_seconds_count{worker="3"} 3',
  ]);
});
