import { expect, test } from 'vitest';
import { secondsOf } from './duration.ts';

test.each([
  ['90', 90],
  ['90s', 90],
  ['15m', 900],
  ['1h', 3_600],
  ['7d', 604_800],
  ['0', 0],
])('%s is %d seconds', (text, seconds) => {
  expect(secondsOf(text)).toBe(seconds);
});

test.each(['', 'h', '1.5h', '-1', '1w', '1 h', '1H', '1'.repeat(10)])('%j is no duration', (text) => {
  expect(secondsOf(text)).toBeUndefined();
});
