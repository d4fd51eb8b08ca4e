import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LatencyRecorder, mergeLatencies } from './latency-recorder.ts';

function recorded(values: readonly number[]): string {
  const recorder = new LatencyRecorder();
  for (const value of values) recorder.record(value);
  return recorder.encode();
}

test('percentiles are those of the values, to three digits, over all recorders', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(2 ** 31 - 2), { minLength: 1, maxLength: 50 }),
      fc.array(fc.nat(5_000), { maxLength: 50 }),
      (some, others) => {
        const histogram = mergeLatencies([recorded(some), recorded(others)]);
        const sorted = [...some, ...others].sort((a, b) => a - b);
        expect(histogram.totalCount).toBe(sorted.length);
        for (const percentile of [1, 50, 90, 99, 100]) {
          const rank = Math.max(1, Math.ceil((percentile / 100) * sorted.length));
          const value = sorted[rank - 1] ?? 0;
          expect(Math.abs(histogram.getValueAtPercentile(percentile) - value)).toBeLessThanOrEqual(
            1 + value * 0.002,
          );
        }
      },
    ),
  );
});

test('a negative value counts as zero, and one above the range as the highest', () => {
  const histogram = mergeLatencies([recorded([-5, 0, 1e12])]);
  expect(histogram.getValueAtPercentile(50)).toBe(0);
  expect(histogram.maxValue).toBeGreaterThan(2 ** 31 * 0.998);
});

test('a recorder without values has no percentiles', () => {
  expect(mergeLatencies([]).totalCount).toBe(0);
  expect(mergeLatencies([recorded([])]).totalCount).toBe(0);
});
