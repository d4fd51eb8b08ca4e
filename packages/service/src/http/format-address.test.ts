import { expect, test } from 'vitest';
import { formatAddress } from './format-address.ts';

test.each([
  ['127.0.0.1', '127.0.0.1:2206'],
  ['localhost', 'localhost:2206'],
  ['::1', '[::1]:2206'],
  ['::ffff:10.0.0.1', '[::ffff:10.0.0.1]:2206'],
])('%s', (host, address) => {
  expect(formatAddress(host, 2206)).toBe(address);
});
