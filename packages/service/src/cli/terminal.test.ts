import { expect, test } from 'vitest';
import { hasTerminal } from './terminal.ts';

test('what can be opened is there, what cannot is not', () => {
  expect(hasTerminal('/dev/null')).toBe(true);
  expect(hasTerminal('/dev/no-such-terminal')).toBe(false);
});
