import { TrustedAddresses } from '@groupcast/service';
import { expect, test } from 'vitest';
import { forwardedClient, forwardedForIn } from './forwarded-for.ts';

const TRUSTED = new TrustedAddresses(['10.0.0.0/8', '2001:db8:1::/48'], false);

test.each([
  ['one address', '203.0.113.7', '203.0.113.7'],
  ['a trusted proxy behind another', '203.0.113.7, 10.0.0.2', '203.0.113.7'],
  ['an entry that the client wrote', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
  ['an entry of the client that names a proxy', '10.0.0.9, 203.0.113.7,10.0.0.2', '203.0.113.7'],
  ['a loopback address, which is not trusted here', '203.0.113.7, 127.0.0.1', '127.0.0.1'],
  ['trusted addresses only', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
  ['words of the client', 'unknown, 10.0.0.2', '10.0.0.2'],
  ['an empty entry', '203.0.113.7,,10.0.0.2', '10.0.0.2'],
  ['IPv6 in another form', '2001:DB8:0:0::7', '2001:db8::7'],
  ['IPv4 within IPv6', '::ffff:203.0.113.7', '203.0.113.7'],
  ['a trusted IPv6 proxy', '2001:db8::7, 2001:db8:1::5', '2001:db8::7'],
  ['an IPv4 address and a port', '203.0.113.7:51234', '203.0.113.7'],
  ['brackets', '[2001:db8::7]', '2001:db8::7'],
  ['brackets and a port', '[2001:db8::7]:51234, 10.0.0.2:80', '2001:db8::7'],
  ['white space', ' \t203.0.113.7\t ', '203.0.113.7'],
])('%s', (_, header, client) => {
  expect(forwardedClient(header, TRUSTED)).toBe(client);
});

test.each([
  '',
  ',',
  'unknown',
  '203.0.113.7,',
  '203.0.113.256',
  '203.0.113.07',
  'fe80::1%eth0',
  '[203.0.113.7',
  `${' '.repeat(100)}203.0.113.7`,
  '203.0.113.7:x',
  '203.0.113.7:123456',
])('%j names no client', (header) => {
  expect(forwardedClient(header, TRUSTED)).toBeUndefined();
});

test('of a thousand entries the last 32 are read', () => {
  const entries = Array.from({ length: 1_000 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
  expect(forwardedClient(entries.join(', '), TRUSTED)).toBe(entries.at(-32));
});

test('the text of a request has all values in order, and none before its header is whole', () => {
  const head = 'GET / HTTP/1.1\r\nHost: x\r\nx-forwarded-FOR: 1.1.1.1\r\nX-Forwarded-For:2.2.2.2, 3.3.3.3';
  expect(forwardedForIn(`${head}\r\n\r\n`)).toBe(' 1.1.1.1,2.2.2.2, 3.3.3.3');
  expect(forwardedForIn(`${head}\r\n\r\nGET / HTTP/1.1\r\nX-Forwarded-For: 4.4.4.4\r\n\r\n`)).toBe(
    ' 1.1.1.1,2.2.2.2, 3.3.3.3',
  );
  expect(forwardedForIn(`${head}\r\n`)).toBe('');
  expect(forwardedForIn('GET / HTTP/1.1\r\nHost: x\r\n\r\n')).toBe('');
});
