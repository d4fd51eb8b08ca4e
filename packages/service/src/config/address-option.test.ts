import { expect, test } from 'vitest';
import { addressOption } from './address-option.ts';

const { fault } = addressOption({ default: '::', describe: 'Address.' });

test.each([
  ...['127.0.0.1', '0.0.0.0', '::', '::1', 'fe80::1%eth0', '::ffff:10.0.0.5', 'localhost', 'hub.example.com'],
  ...['my_service', '4a6f2b1c9d0e', 'a-b'],
])('%s is an address or a name', (text) => {
  expect(fault(text)).toBeUndefined();
});

test.each(['[::]', '[fe80::1]'])('%s has brackets', (text) => {
  expect(fault(text)).toMatch(/without brackets/);
});

test.each(['127.0.0.1:80', 'localhost:80'])('%s has a port', (text) => {
  expect(fault(text)).toMatch(/without a port/);
});

test.each([
  ...['', ' ', '*', '0', '127.1', '0x7f', '10.0.0.256', '::g', 'a b', '-a', 'a..b', 'http://a', '[a]', 'a:b'],
  'a'.repeat(64),
  Array.from({ length: 130 }, () => 'a').join('.'),
])('%j is neither an address nor a name', (text) => {
  expect(fault(text)).toMatch(/such as 127\.0\.0\.1$/);
});
