import { expect, test } from 'vitest';
import { ratios, spreadOf } from './statistics.ts';

test('the median of an odd and of an even number of rounds', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 });
  expect(spreadOf([])).toBeUndefined();
});

test('a ratio belongs to one round, and a round that lacks one of the two is left out', () => {
  expect(ratios([4, 6, undefined, 9], [2, 3, 1, undefined])).toEqual([2, 2]);
});
