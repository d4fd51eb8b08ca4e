import { expect, test } from 'vitest';
import { mostWithin } from './most-within.ts';

test.each([
  [[], 0],
  [[5], 1],
  [[0, 999], 2],
  [[0, 1_000], 1],
  [[0, 400, 900, 1_100, 1_300, 5_000], 4],
  [[1_300, 0, 5_000, 1_100, 400, 900], 4],
])('of %o there are %i within a second', (moments, most) => {
  expect(mostWithin(moments, 1_000)).toBe(most);
});
