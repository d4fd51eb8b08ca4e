import { expect, test } from 'vitest';
import { AcceptReporter } from './accept-reporter.ts';

test('each of the first connections is reported, and one of a hundred or more where there are 2,000', () => {
  const reports = new AcceptReporter();
  const toldOf = (from: number, count: number): number =>
    Array.from({ length: count }, (_, index) => reports.take(from + index)).filter(Boolean).length;
  expect(toldOf(0, 20)).toBe(20);
  expect(toldOf(2_000, 1_000)).toBeLessThan(10);
  expect(reports.accepted).toBe(1_020);
});
