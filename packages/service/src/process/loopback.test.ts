import { expect, test } from 'vitest';
import { isLoopbackAddress, isLoopbackHost } from './loopback.ts';

test.each(['localhost', '127.0.0.1', '127.255.255.254', '::1'])(
  '%s is reachable from this machine only',
  (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  },
);

test.each([
  '',
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '128.0.0.1',
  'example.org',
  '127.example.org',
  '127.evil.example',
  '127.0.0.1.example.org',
  'localhost.example.org',
  '::ffff:0.0.0.0',
])('%j is reachable from other machines', (host) => {
  expect(isLoopbackHost(host)).toBe(false);
});

test('an unknown address is not this machine', () => {
  expect(isLoopbackAddress(undefined)).toBe(false);
  expect(isLoopbackAddress('')).toBe(false);
  expect(isLoopbackAddress('::ffff:127.0.0.1')).toBe(true);
  expect(isLoopbackAddress('::ffff:10.0.0.1')).toBe(false);
});
