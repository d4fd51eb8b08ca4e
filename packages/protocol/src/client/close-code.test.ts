import { expect, test } from 'vitest';
import { CLOSE_CODES, type CloseCodeRow } from '../codes.ts';
import { reconnectsAfter } from './close-code.ts';

test.each(Object.entries<CloseCodeRow>(CLOSE_CODES))(
  '%s: the rule agrees with the table',
  (_name, { code, reconnect }) => {
    expect(reconnectsAfter(code)).toBe(reconnect);
  },
);

test.each([
  [1005, true],
  [1006, true],
  [1015, true],
  [4000, true],
  [4499, true],
  [4500, false],
  [4999, false],
])('%d, which no gateway sends today: %s', (code, back) => {
  expect(reconnectsAfter(code)).toBe(back);
});
