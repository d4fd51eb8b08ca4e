import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Ban, type BanTarget, banKey, encodeBan, encodeKick, parseBan, parseKick } from './ban.ts';
import { isKey } from './name.ts';
import { encodeText } from './text.ts';

const LONG = 'x'.repeat(255);

describe('keys', () => {
  test.each<[BanTarget, string]>([
    [{ uid: 'ann' }, 'uid:ann'],
    [{ address: '203.0.113.7' }, 'addr:203.0.113.7'],
    [{ address: '::ffff:203.0.113.7' }, 'addr:203.0.113.7'],
    [{ address: '2001:DB8:0::/32' }, 'addr:2001:db8::/32'],
    [{ tokenId: 'a:b\tc'.replace('\t', ' ') }, 'jti:a:b c'],
    [{ group: 'room:1', uid: 'ann' }, 'member:room:1\nann'],
    [{ group: LONG, uid: LONG }, `member:${LONG}\n${LONG}`],
  ])('%j', (target, key) => {
    expect(banKey(target)).toBe(key);
    expect(isKey(key)).toBe(true);
  });

  test.each<[object | undefined, RegExp]>([
    [undefined, /one of/],
    [{}, /one of/],
    [{ uid: 'a', address: '1.2.3.4' }, /one of/],
    [{ group: 'g', uid: 'u', tokenId: 't' }, /one of/],
    [{ group: 'g' }, /needs its uid/],
    [{ uid: '' }, /uid must be/],
    [{ uid: 'a*' }, /without \*/],
    [{ uid: 'a\nb' }, /uid must be/],
    [{ uid: 7 }, /uid must be/],
    [{ group: 'a\nb', uid: 'u' }, /group must be/],
    [{ tokenId: 'x'.repeat(256) }, /tokenId must be/],
    [{ address: 'host' }, /"host"; write it such as/],
    [{ address: 7 }, /write it such as/],
    [{ address: '203.0.113.7/24' }, /Write 203\.0\.113\.0\/24\./],
  ])('%j is rejected', (target, sentence) => {
    expect(() => banKey(target as BanTarget)).toThrow(
      expect.objectContaining({ code: 'bad_field', message: expect.stringMatching(sentence) }),
    );
  });
});

describe('values', () => {
  const name = fc.string({ unit: fc.constantFrom(...'ab:* 日'), minLength: 1, maxLength: 9 });
  const uid = name.map((text) => text.replaceAll('*', '+'));
  const target = fc.oneof(
    fc.record({ uid }),
    fc.record({ group: name, uid }),
    fc.record({ tokenId: name }),
    fc.constantFrom({ address: '10.1.0.0/16' }, { address: '2001:db8::1' }),
  );
  const details = fc.record(
    { reason: fc.string({ minLength: 1, maxLength: 40 }), by: name },
    { requiredKeys: [] },
  );

  test('what is encoded is parsed', () => {
    fc.assert(
      fc.property(target, details, fc.nat(), (aim, given, notBefore) => {
        const ban: Ban = {
          target: aim,
          ...given,
          ...('uid' in aim && !('group' in aim) ? { notBefore } : {}),
        };
        expect(parseBan(banKey(aim), encodeText(encodeBan(ban)))).toEqual(ban);
      }),
    );
  });

  test.each<[Partial<Ban>, RegExp]>([
    [{ reason: 'é'.repeat(62) }, /at most 123 bytes/],
    [{ reason: 7 as never }, /at most 123 bytes/],
    [{ by: '' }, /by must be/],
    [{ by: 'a\u001b' }, /by must be/],
    [{ notBefore: 1.5 }, /notBefore is 1\.5/],
    [{ notBefore: -1 }, /notBefore is -1/],
    [{ notBefore: 7, target: { tokenId: 't' } }, /only for a ban of a uid/],
    [{ notBefore: 7, target: { group: 'g', uid: 'u' } }, /only for a ban of a uid/],
  ])('%j is rejected', (given, sentence) => {
    expect(() => encodeBan({ target: { uid: 'ann' }, ...given })).toThrow(sentence);
  });

  test.each([
    ['uid:ann', ''],
    ['uid:ann', '[]'],
    ['uid:ann', 'null'],
    ['uid:ann', '{'],
    ['uid:ann', '{"not_before":"7"}'],
    ['uid:ann', '{"reason":7}'],
    ['uid:ann', '{"by":null}'],
    ['uid:ann', `{"reason":"${'x'.repeat(124)}"}`],
    ['uid:ann', `{"x":"${'x'.repeat(4_096)}"}`],
    ['uid:a*', '{}'],
    ['uid:', '{}'],
    ['ann', '{}'],
    ['addr:::ffff:1.2.3.4', '{}'],
    ['addr:1.2.3.4/24', '{}'],
    ['member:ann', '{}'],
    ['member:g\na\nb', '{}'],
  ])('%j with %j is no ban', (key, value) => {
    expect(() => parseBan(key, encodeText(value))).toThrow(expect.objectContaining({ code: 'bad_field' }));
  });

  test('bytes that are not UTF-8 are no ban', () => {
    expect(() => parseBan('uid:ann', Uint8Array.of(0x7b, 0xff, 0x7d))).toThrow(/not JSON/);
  });

  test('unknown fields are ignored', () => {
    expect(parseBan('jti:7', encodeText('{"not_before":7,"later":[]}'))).toEqual({
      target: { tokenId: '7' },
    });
  });
});

test('a kick is a publication without a key', () => {
  const kick = { group: 'room', uid: 'ann', reason: 'Go out.', by: 'bob' };
  const text = encodeKick(kick);
  expect(JSON.parse(text)).toEqual({
    cmd: 'kick',
    group_id: 'room',
    uid: 'ann',
    reason: 'Go out.',
    by: 'bob',
  });
  expect(parseKick(encodeText(text))).toEqual(kick);
  for (const payload of ['', '{}', '{"cmd":"kick"}', '{"cmd":"kick","group_id":"","uid":"ann"}'])
    expect(() => parseKick(encodeText(payload))).toThrow(expect.objectContaining({ code: 'bad_field' }));
});
