import { ERROR_CODES } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { GroupcastError } from './groupcast-error.ts';

test.each(Object.entries<{ readonly temporary: boolean; readonly sentence: string }>(ERROR_CODES))(
  'knows whether %s may pass',
  (code, { temporary, sentence }) => {
    expect(new GroupcastError(code, sentence).temporary).toBe(temporary);
  },
);

test('shows its code where only the message is shown, and keeps its cause', () => {
  const cause = new Error('why');
  const error = new GroupcastError('disconnected', 'Gone.', { closeCode: 1006, cause });
  expect(String(error)).toBe('GroupcastError: disconnected: Gone.');
  expect(error).toMatchObject({ code: 'disconnected', closeCode: 1006, cause });
});

test('a code of a later gateway is kept, and taken for final', () => {
  expect(new GroupcastError('not_on_sundays', '')).toMatchObject({
    code: 'not_on_sundays',
    temporary: false,
  });
});
