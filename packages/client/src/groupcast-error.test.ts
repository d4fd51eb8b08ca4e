import { ERROR_CODES } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { GroupcastError } from './groupcast-error.ts';

/** Codes of the hub's wire, which no gateway sends. A page need not know them. */
const OF_HUBS = ['queue_limit', 'keys_full'];

test.each(
  Object.entries<{ readonly temporary: boolean; readonly sentence: string }>(ERROR_CODES).filter(
    ([code]) => !OF_HUBS.includes(code),
  ),
)('agrees with the protocol on whether %s is temporary', (code, { temporary, sentence }) => {
  expect(new GroupcastError(code, sentence).temporary).toBe(temporary);
});

test('its message contains the code, and it has a cause', () => {
  const cause = new Error('why');
  const error = new GroupcastError('disconnected', 'Gone.', { closeCode: 1006, cause });
  expect(String(error)).toBe('GroupcastError: disconnected: Gone.');
  expect(error).toMatchObject({ code: 'disconnected', closeCode: 1006, cause });
});

test('a code of a later gateway is kept, and is not temporary', () => {
  expect(new GroupcastError('not_on_sundays', '')).toMatchObject({
    code: 'not_on_sundays',
    temporary: false,
  });
});
