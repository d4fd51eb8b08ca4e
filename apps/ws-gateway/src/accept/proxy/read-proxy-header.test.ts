import { describe, expect, test } from 'vitest';
import type { ProxyHeader } from './proxy-header.ts';
import { readProxyHeader } from './read-proxy-header.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n');

const text = (line: string): Buffer => Buffer.from(line, 'latin1');
const binary = (hex: string): Buffer => Buffer.from(SIGNATURE + hex.replaceAll(' ', ''), 'hex');

/** Reads a header whole, and byte by byte, with a request behind it. Both must agree. */
function read(header: Buffer): ProxyHeader {
  const bytes = Buffer.concat([header, REQUEST]);
  const whole = readProxyHeader(bytes);
  for (let length = 0; length < bytes.length; length++) {
    const soFar = readProxyHeader(bytes.subarray(0, length));
    if (whole.kind === 'invalid') expect(['incomplete', 'invalid']).toContain(soFar.kind);
    else expect(soFar.kind).toBe(length < header.length ? 'incomplete' : 'whole');
    if (soFar.kind !== 'incomplete') expect(soFar).toEqual(whole);
  }
  return whole;
}

describe('version 1', () => {
  test.each([
    ['TCP4', 'PROXY TCP4 203.0.113.7 10.0.0.2 51234 443\r\n', '203.0.113.7'],
    ['the longest TCP4', 'PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', '255.255.255.255'],
    ['TCP6', 'PROXY TCP6 2001:DB8:0:0::7 ::1 0 443\r\n', '2001:db8::7'],
    [
      'the longest TCP6',
      `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
    ],
    ['UNKNOWN', 'PROXY UNKNOWN\r\n', undefined],
    [
      'the longest UNKNOWN',
      `PROXY UNKNOWN ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`,
      undefined,
    ],
    ['UNKNOWN and anything', 'PROXY UNKNOWN 203.0.113.7 \0\xff\r\n', undefined],
  ])('%s', (_, line, client) => {
    expect(read(text(line))).toEqual({ kind: 'whole', length: line.length, client });
  });

  test.each([
    'PROXY \r\n',
    'PROXY TCP4\r\n',
    'PROXY tcp4 203.0.113.7 10.0.0.2 51234 443\r\n',
    'PROXY TCP5 203.0.113.7 10.0.0.2 51234 443\r\n',
    'PROXY UDP4 203.0.113.7 10.0.0.2 51234 443\r\n',
    'PROXY TCP4 2001:db8::7 10.0.0.2 51234 443\r\n',
    'PROXY TCP4 203.0.113.7 ::1 51234 443\r\n',
    'PROXY TCP6 203.0.113.7 10.0.0.2 51234 443\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 51234 443\r\n',
    'PROXY TCP4 203.0.113.07 10.0.0.2 51234 443\r\n',
    'PROXY TCP4 203.0.113.7 10.0.0.2 51234\r\n',
    'PROXY TCP4 203.0.113.7 10.0.0.2 51234 443 \r\n',
    'PROXY TCP4  203.0.113.7 10.0.0.2 51234 443\r\n',
    'PROXY TCP4 203.0.113.7 10.0.0.2 65536 443\r\n',
    'PROXY TCP4 203.0.113.7 10.0.0.2 051 443\r\n',
    'PROXY TCP4 203.0.113.7 10.0.0.2 -1 443\r\n',
    'PROXY UNKNOWNS\r\n',
  ])('%j is invalid', (line) => {
    expect(read(text(line))).toEqual({ kind: 'invalid', fault: 'The PROXY line is invalid.' });
  });

  test('a line without an end is invalid at 107 bytes', () => {
    const endless = `PROXY UNKNOWN ${'x'.repeat(1_000)}`;
    expect(readProxyHeader(text(endless.slice(0, 106)))).toEqual({ kind: 'incomplete' });
    expect(readProxyHeader(text(endless.slice(0, 107)))).toMatchObject({ kind: 'invalid' });
    expect(read(text(endless))).toMatchObject({ fault: 'The PROXY line is longer than 107 bytes.' });
  });
});

describe('version 2', () => {
  test.each([
    ['TCP over IPv4', '21 11 000c cb007107 0a000002 c822 01bb', '203.0.113.7'],
    [
      'TCP over IPv6',
      '21 21 0024 20010db8000000000000000000000007 00000000000000000000000000000001 c822 01bb',
      '2001:db8::7',
    ],
    [
      'IPv4 within IPv6',
      '21 21 0024 00000000000000000000ffffcb007107 00000000000000000000000000000001 c822 01bb',
      '203.0.113.7',
    ],
    [
      'more fields behind the addresses',
      '21 11 0013 cb007107 0a000002 c822 01bb 04 0004 00000000',
      '203.0.113.7',
    ],
    ['LOCAL', '20 00 0000', undefined],
    ['LOCAL with addresses, which do not count', '20 11 000c cb007107 0a000002 c822 01bb', undefined],
    ['LOCAL with an unknown family', '20 ff 0002 0102', undefined],
    ['an unspecified family', '21 00 0000', undefined],
    ['an unspecified family and more fields', '21 00 0003 040000', undefined],
    ['a client of a Unix socket', `21 31 00d8 ${'00'.repeat(216)}`, undefined],
  ])('%s', (_, hex, client) => {
    const header = binary(hex);
    expect(read(header)).toEqual({ kind: 'whole', length: header.length, client });
  });

  test.each([
    ['version 1 in binary', '11 11 000c cb007107 0a000002 c822 01bb', '0x11'],
    ['an unknown command', '22 11 000c cb007107 0a000002 c822 01bb', '0x22'],
    ['UDP', '21 12 000c cb007107 0a000002 c822 01bb', '0x12'],
    ['datagrams of a Unix socket', '21 32 00d8', '0x32'],
    ['an unknown family', '21 41 0000', '0x41'],
    ['too few bytes for IPv4', '21 11 000b', '27 bytes, too few'],
    ['too few bytes for IPv6', '21 21 0023', '51 bytes, too few'],
    ['a length above the limit', '21 11 0ff1', '4097 bytes. At most 4096'],
    ['the greatest length', '20 00 ffff', '65551 bytes. At most 4096'],
  ])('%s is invalid', (_, hex, words) => {
    expect(read(binary(hex))).toEqual({ kind: 'invalid', fault: expect.stringContaining(words) });
  });
});

test.each([
  'GET / HTTP/1.1\r\n\r\n',
  'PROXIES',
  'proxy TCP4',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\r\n\r\nGET / HTTP/1.1',
  '\x16\x03\x01\x02\x00',
  '\0',
])('%j is no PROXY header, at the first byte that differs', (bytes) => {
  expect(read(text(bytes))).toMatchObject({ fault: expect.stringContaining('does not begin with') });
  expect(readProxyHeader(text(bytes.slice(0, 6)))).toMatchObject({ kind: 'invalid' });
});
