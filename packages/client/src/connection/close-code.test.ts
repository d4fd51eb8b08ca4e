import { CLOSE_CODES, type CloseCodeRow } from '@groupcast/protocol';
import { expect, test } from 'vitest';
import { comesBack } from './close-code.ts';

test.each(Object.entries<CloseCodeRow>(CLOSE_CODES))('%s is obeyed', (_name, { code, reconnect }) => {
  expect(comesBack(code)).toBe(reconnect);
});

test.each([
  [1005, true],
  [1006, true],
  [1015, true],
  [4000, true],
  [4499, true],
  [4500, false],
  [4999, false],
])('%d, which gateways do not send today: %s', (code, back) => {
  expect(comesBack(code)).toBe(back);
});
