import { expect, test } from 'vitest';
import { envName, flagName, nearestName } from './option-names.ts';

test('one key makes the names of the flag and of the variable', () => {
  expect(flagName('drainSeconds')).toBe('drain-seconds');
  expect(flagName('port')).toBe('port');
  expect(envName('GROUPCAST_GATEWAY', 'drainSeconds')).toBe('GROUPCAST_GATEWAY_DRAIN_SECONDS');
});

test('the most similar name is found, if one is similar enough', () => {
  const known = ['host', 'port', 'drain-seconds', 'no-welcome-page'];
  expect(nearestName('prot', known)).toBe('port');
  expect(nearestName('PORT', known)).toBe('port');
  expect(nearestName('drain-second', known)).toBe('drain-seconds');
  expect(nearestName('welcome-page', known)).toBe('no-welcome-page');
  expect(nearestName('zzzzzz', known)).toBeUndefined();
  expect(nearestName('x'.repeat(100_000), known)).toBeUndefined();
});
