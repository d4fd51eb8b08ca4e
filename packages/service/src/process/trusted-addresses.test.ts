import { describe, expect, test } from 'vitest';
import { isEveryAddress, networksFault, TrustedAddresses } from './trusted-addresses.ts';

describe('TrustedAddresses', () => {
  const trusted = new TrustedAddresses(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32', '2001:db9::1']);

  test.each([
    '127.0.0.1',
    '::1',
    '::ffff:127.0.0.1',
    '10.1.0.0',
    '10.1.255.255',
    '::ffff:10.1.2.3',
    '192.0.2.7',
    '2001:db8:1::5',
    '2001:db9::1',
  ])('has %s', (address) => {
    expect(trusted.has(address)).toBe(true);
  });

  test.each(['10.2.0.0', '10.0.255.255', '192.0.2.8', '2001:db9::2', '::ffff:10.2.0.1', '', 'x', undefined])(
    'does not trust %s',
    (address) => {
      expect(trusted.has(address)).toBe(false);
    },
  );

  test('trusts this host alone by default, and every host with 0.0.0.0/0 and ::/0', () => {
    expect(new TrustedAddresses([]).has('10.1.2.3')).toBe(false);
    expect(new TrustedAddresses(['0.0.0.0/0']).has('10.1.2.3')).toBe(true);
  });
});

test.each(['10.1.0.0/16', '10.1.2.3', '::/0', '2001:db8::1', '::ffff:1.2.0.0/112', '2001:db8:8000::/33'])(
  '%s is a network',
  (text) => {
    expect(networksFault([text])).toBeUndefined();
  },
);

test.each(['10.1.2.3/16', '1.2.3.4/0', '10.1.2.3/31', '2001:db8::1/127', '::1/0', '2001:db8:8000::/32'])(
  '%s has host bits, and is no network',
  (text) => {
    expect(networksFault([text])).toMatch(/host bits/);
    expect(() => new TrustedAddresses([text])).toThrow(RangeError);
  },
);

test.each([
  ['0.0.0.0/0', true],
  ['::/0', true],
  ['0.0.0.0', false],
  ['0.0.0.0/1', false],
])('%s has every address: %s', (text, expected) => {
  expect(isEveryAddress(text)).toBe(expected);
});

test.each([
  ...['', 'host', '10.1.0.0/33', '10.1.0.0/', '10.1.0.0/x', '10.1.0.0/8/8', '::/129', '10.1/16', '/8'],
  'fe80::1%eth0',
])('%j is invalid', (text) => {
  expect(networksFault([text])).toMatch(/^addresses or networks, each such as/);
  expect(() => new TrustedAddresses([text])).toThrow(RangeError);
});
