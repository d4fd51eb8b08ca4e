import { expect, test } from 'vitest';
import { unixPathFault } from './unix-path.ts';

const LONGEST = 107;

test('a path that the system would cut off is invalid; bytes count', () => {
  expect(unixPathFault('')).toBeUndefined();
  expect(unixPathFault(`/${'a'.repeat(LONGEST - 1)}`)).toBeUndefined();
  expect(unixPathFault(`/${'a'.repeat(LONGEST)}`)).toContain(`at most ${LONGEST} bytes, not ${LONGEST + 1}`);
  expect(unixPathFault(`/${'ä'.repeat(53)}a`)).toContain('not 108');
});

test('a path with a NUL character is invalid', () => {
  expect(unixPathFault('/run/hub\0.sock')).toContain('NUL');
});
