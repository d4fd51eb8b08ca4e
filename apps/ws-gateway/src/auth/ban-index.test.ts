import { BlockList } from 'node:net';
import { type Ban, type BanTarget, banKey } from '@groupcast/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BanIndex, type BannableIdentity, type BanVerdict } from './ban-index.ts';

const ANN: BannableIdentity = { uid: 'ann', tokenId: 't-1', issuedAt: 100 };
const ADDRESS = '203.0.113.7';

function indexOf(...bans: Ban[]): BanIndex {
  const index = new BanIndex();
  for (const ban of bans) index.set(banKey(ban.target), ban);
  return index;
}

describe('a verdict', () => {
  const banned = { close: 'banned', text: undefined };
  const revoked = { close: 'revoked', text: undefined };

  test.each<[string, Ban, object | undefined]>([
    ['of the user', { target: { uid: 'ann' } }, banned],
    ['of the user, with a reason', { target: { uid: 'ann' }, reason: 'Spam.' }, { ...banned, text: 'Spam.' }],
    ['of another user', { target: { uid: 'bob' } }, undefined],
    ['of older tokens', { target: { uid: 'ann' }, notBefore: 101 }, revoked],
    ['of tokens that are older than this one', { target: { uid: 'ann' }, notBefore: 100 }, undefined],
    ['of the token', { target: { tokenId: 't-1' }, reason: 'Lost.' }, { ...revoked, text: 'Lost.' }],
    ['of another token', { target: { tokenId: 't-2' } }, undefined],
    ['of the address', { target: { address: ADDRESS } }, banned],
    ['of its network', { target: { address: '203.0.113.0/24' } }, banned],
    ['of every address', { target: { address: '0.0.0.0/0' } }, banned],
    ['of another network', { target: { address: '203.0.112.0/24' } }, undefined],
    ['of every IPv6 address', { target: { address: '::/0' } }, undefined],
    ['of a group', { target: { group: 'room', uid: 'ann' } }, undefined],
  ])('%s', (_, ban, verdict) => {
    const index = indexOf(ban);
    expect(index.verdict(ADDRESS, ANN)).toEqual(verdict);
    expect(index.verdict(`::ffff:${ADDRESS}`, ANN)).toEqual(verdict);
    index.delete(banKey(ban.target));
    expect([index.size, index.verdict(ADDRESS, ANN)]).toEqual([0, undefined]);
  });

  test('without iat a token is older than any revocation; without jti no id revokes it', () => {
    const old = { uid: 'ann', tokenId: undefined, issuedAt: undefined };
    expect(indexOf({ target: { uid: 'ann' }, notBefore: 0 }).verdict('', old)).toEqual(revoked);
    expect(indexOf({ target: { tokenId: 'undefined' } }).verdict('', old)).toBeUndefined();
  });

  test('of a link-local address holds on every interface; an unknown address has none', () => {
    const index = indexOf({ target: { address: 'fe80::/10' } });
    expect(index.verdict('fe80::1%eth0', undefined)).toEqual(banned);
    for (const address of ['', 'unix', '1.2.3', '::1%eth0'])
      expect(index.verdict(address, undefined)).toBeUndefined();
  });

  test('before a token is known is about the address alone', () => {
    const index = indexOf({ target: { uid: 'ann' } }, { target: { address: ADDRESS } });
    expect(index.verdict(ADDRESS, undefined)).toEqual(banned);
    expect(index.verdict('203.0.113.8', undefined)).toBeUndefined();
  });
});

test('a member is banned from one group', () => {
  const ban: Ban = { target: { group: 'room', uid: 'ann' }, reason: 'Spam.' };
  const index = indexOf(ban);
  expect(index.ofMember('room', 'ann')).toBe(ban);
  expect([index.ofMember('room', 'bob'), index.ofMember('hall', 'ann')]).toEqual([undefined, undefined]);
});

/** Looks at every ban. */
function naiveVerdict(bans: Iterable<Ban>, address: string, identity: BannableIdentity): string | undefined {
  const found = new Set<BanVerdict['close']>();
  for (const { target, notBefore } of bans) {
    if ('address' in target) {
      const list = new BlockList();
      const [first = '', bits = target.address.includes(':') ? '128' : '32'] = target.address.split('/');
      list.addSubnet(first, Number(bits), first.includes(':') ? 'ipv6' : 'ipv4');
      // The list also finds IPv4 in networks of IPv6, as mapped addresses.
      const isSame = first.includes(':') === address.includes(':');
      if (isSame && list.check(address, address.includes(':') ? 'ipv6' : 'ipv4')) found.add('banned');
    } else if ('tokenId' in target) {
      if (target.tokenId === identity.tokenId) found.add('revoked');
    } else if (target.group === undefined && target.uid === identity.uid) {
      if (notBefore === undefined) found.add('banned');
      else if ((identity.issuedAt ?? -1) < notBefore) found.add('revoked');
    }
  }
  return found.has('banned') ? 'banned' : [...found][0];
}

test('the verdict is that of a scan of all bans, after any changes', () => {
  const name = fc.constantFrom('a', 'b', 'jti:a', '__proto__');
  const address = fc.constantFrom('10.1.2.3', '10.1.3.3', '10.2.0.0', '2001:db8::1', '2001:db8:1::1', '::1');
  const network = fc.constantFrom(
    '10.1.2.3',
    '10.1.2.0/23',
    '10.1.2.2/31',
    '10.0.0.0/8',
    '2001:db8::/32',
    '::/1',
    '2001:db8::1',
  );
  const target: fc.Arbitrary<BanTarget> = fc.oneof(
    fc.record({ uid: name }),
    fc.record({ tokenId: name }),
    fc.record({ address: network }),
    fc.record({ group: name, uid: name }),
  );
  const change = fc.record({
    target,
    notBefore: fc.option(fc.nat(3), { nil: undefined }),
    isRemoval: fc.boolean(),
  });
  const identity = fc.record({
    uid: name,
    tokenId: fc.option(name, { nil: undefined }),
    issuedAt: fc.option(fc.nat(3), { nil: undefined }),
  });
  let seen = 0;
  fc.assert(
    fc.property(fc.array(change, { maxLength: 20 }), address, identity, (changes, from, who) => {
      const index = new BanIndex();
      const bans = new Map<string, Ban>();
      for (const { target: aim, notBefore, isRemoval } of changes) {
        const key = banKey(aim);
        const isUser = 'uid' in aim && aim.group === undefined;
        const ban: Ban = isUser && notBefore !== undefined ? { target: aim, notBefore } : { target: aim };
        if (isRemoval) {
          index.delete(key);
          bans.delete(key);
        } else {
          index.set(key, ban);
          bans.set(key, ban);
        }
      }
      const verdict = naiveVerdict(bans.values(), from, who);
      expect(index.verdict(from, who)?.close).toBe(verdict);
      expect(index.size).toBe(bans.size);
      if (verdict !== undefined) seen += 1;
    }),
    { numRuns: 2_000 },
  );
  expect(seen).toBeGreaterThan(200);
});
