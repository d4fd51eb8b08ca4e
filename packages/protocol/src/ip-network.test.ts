import { isIP, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpNetwork, maskIp, parseIpNetwork } from './ip-network.ts';

/** Returns the shortest form of a text, or undefined. */
function canonical(text: string): string | undefined {
  const network = parseIpNetwork(text);
  return network && formatIpNetwork(network);
}

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['10.1.0.0/16', '10.1.0.0/16'],
  ['10.1.2.3/32', '10.1.2.3'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['2001:DB8:0:0::7', '2001:db8::7'],
  ['2001:db8::/32', '2001:db8::/32'],
  ['2001:db8::1/128', '2001:db8::1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ['::', '::'],
  ['::1', '::1'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['::FFFF:cb00:7107', '203.0.113.7'],
  ['::ffff:10.1.0.0/112', '10.1.0.0/16'],
  ['::ffff:0:0/96', '0.0.0.0/0'],
  ['::/0', '::/0'],
  ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
])('%s is %s', (text, shortest) => {
  expect(canonical(text)).toBe(shortest);
});

test.each([
  ...[
    '',
    '/8',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.04',
    '0x7f.0.0.1',
    '1.2.3.4/33',
    '1.2.3.4/',
    '1.2.3.4/08',
  ],
  ...[
    '1.2.3.4/8/8',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '1:2:3:4::5:6:7:8',
    '12345::',
  ],
  ...[
    'g::',
    '1.2.3.4::',
    '::1.2.3',
    'fe80::1%eth0',
    '::/129',
    ' 1.2.3.4',
    '1.2.3.4\n',
    `${'0'.repeat(50)}1.2.3.4`,
  ],
])('%j is no address and no network', (text) => {
  expect(parseIpNetwork(text)).toBeUndefined();
});

const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
const ipv6 = fc.array(group, { minLength: 8, maxLength: 8 });

test('every IPv6 address has the form that the system gives it, IPv4 as IPv4', () => {
  fc.assert(
    fc.property(ipv6, (groups) => {
      const text = groups.map((one) => one.toString(16)).join(':');
      const { address } = new SocketAddress({ address: text, family: 'ipv6' });
      // The system writes some others with IPv4 at their end, which RFC 5952 leaves open.
      const plain = address.replace('::ffff:', '');
      if (isIP(plain) === 4) expect(canonical(text)).toBe(plain);
      else if (!address.includes('.')) expect(canonical(text)).toBe(address);
      expect(canonical(address)).toBe(canonical(text));
    }),
  );
});

test('what is parsed is an address of the system as well', () => {
  const character = fc.constantFrom(...'0123456789abcf:./');
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 20 }), (text) => {
      if (!text.includes('/')) expect(parseIpNetwork(text) !== undefined).toBe(isIP(text) !== 0);
    }),
    { numRuns: 5_000 },
  );
});

test('a mask keeps the first bits', () => {
  const bytes = Uint8Array.of(0xff, 0xff, 0xff, 0xff);
  expect([0, 1, 8, 9, 31, 32].map((bits) => maskIp(bytes, bits).join('.'))).toEqual([
    '0.0.0.0',
    '128.0.0.0',
    '255.0.0.0',
    '255.128.0.0',
    '255.255.255.254',
    '255.255.255.255',
  ]);
});
