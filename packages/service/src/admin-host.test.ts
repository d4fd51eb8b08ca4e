import { expect, test } from 'vitest';
import { isHostAllowed, isLoopback } from './admin-host.ts';

test('which addresses only this machine reaches', () => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) expect(isLoopback(host)).toBe(true);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'example.com']) {
    expect(isLoopback(host)).toBe(false);
  }
});

test.each([undefined, 'localhost', 'LOCALHOST:2207', '127.0.0.1', '127.0.0.1:2207', '[::1]', '[::1]:2207'])(
  'Host %j is allowed',
  (header) => expect(isHostAllowed(header)).toBe(true),
);

test.each([
  '',
  'evil.example',
  'evil.example:2207',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '[evil]',
  'a:b',
])('Host %j is refused', (header) => expect(isHostAllowed(header)).toBe(false));
