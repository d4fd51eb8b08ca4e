import { expect, test } from 'vitest';
import { formatUptime } from './uptime.ts';

test.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m 0s'],
  [3_599, '59m 59s'],
  [3_600, '1h 0m'],
  [86_399, '23h 59m'],
  [86_400, '1d 0h'],
  [273_600, '3d 4h'],
])('%i seconds are %s', (seconds, text) => {
  expect(formatUptime(seconds)).toBe(text);
});
