import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { type SignTokenOptions, signToken } from '@groupcast/testkit/in-process';
import { describe, expect, test } from 'vitest';
import { TokenError } from './token-error.ts';
import type { TokenOptions } from './token-options.ts';
import { TokenVerifier } from './token-verifier.ts';

const SECRET = 'a secret of thirty-two bytes, no less';
const RSA = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const P384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ED = generateKeyPairSync('ed25519');

/** The time of each test, in seconds since 1970. */
const NOW = Math.floor(Date.now() / 1_000);
const EXP = NOW + 3_600;
const CLAIMS = { sub: 'ann', exp: EXP };

function verifier(options: Partial<TokenOptions> = {}): TokenVerifier {
  return new TokenVerifier({
    secrets: [SECRET],
    keys: [],
    jwksUrl: '',
    audience: [],
    issuer: '',
    withoutExp: false,
    groupsMax: 3,
    ...options,
  });
}

function publicJwk({ publicKey }: { readonly publicKey: KeyObject }, more: object = {}): JsonWebKey {
  return { ...publicKey.export({ format: 'jwk' }), ...more };
}

function keys(...jwks: JsonWebKey[]): Pick<TokenOptions, 'keys' | 'secrets'> {
  return { secrets: [], keys: jwks };
}

/** Returns the code and the message of the error with which a token is rejected. */
async function rejected(token: string, options: Partial<TokenOptions> = {}): Promise<string> {
  const error: unknown = await verifier(options)
    .verify(token)
    .then(
      () => 'accepted',
      (reason) => reason,
    );
  if (!(error instanceof TokenError)) return String(error);
  // Neither the message nor the cause may have a part of the token.
  expect(error.cause).toBeUndefined();
  for (const part of token.split('.')) {
    if (part !== '') expect(error.message).not.toContain(part);
  }
  return `${error.code}: ${error.message}`;
}

function hs(claims: object | string, options: Partial<SignTokenOptions> = {}): string {
  return signToken(claims, { key: SECRET, ...options });
}

function fromGroupcast(groupcast: unknown): string {
  return hs({ ...CLAIMS, groupcast });
}

test('an identity has what the claims say', async () => {
  const token = hs({
    ...CLAIMS,
    jti: 'id-1',
    iat: NOW,
    nbf: NOW,
    aud: 'anyone',
    groupcast: {
      can: { 'chat:*': ['join', 'publish'], 'user:{uid}': ['*'] },
      join: ['user:ann'],
      info: { name: 'Ann' },
      limits: { messages_per_second: 0.5, groups: 2 },
      later: true,
    },
  });
  const { grants, ...rest } = await verifier().verify(token);
  expect(rest).toEqual({
    uid: 'ann',
    tokenId: 'id-1',
    issuedAt: NOW,
    expiresAt: EXP,
    groups: ['user:ann'],
    info: { name: 'Ann' },
    limits: { messagesPerSecond: 0.5, groups: 2 },
  });
  const asked = ['chat:1', 'user:ann', 'user:bob'].map((group) => grants.allows('publish', group));
  expect(asked).toEqual([true, true, false]);
  expect(grants.allows('history', 'chat:1')).toBe(false);
});

test('a token without permissions is one', async () => {
  const { grants, ...rest } = await verifier().verify(hs(CLAIMS));
  expect(rest).toMatchObject({ uid: 'ann', tokenId: undefined, issuedAt: undefined, groups: [], limits: {} });
  expect(grants.allows('join', 'chat')).toBe(false);
});

describe('the key decides the algorithm', () => {
  test.each(['HS256', 'HS384', 'HS512'])('%s with a secret', async (alg) => {
    expect(await verifier().verify(hs(CLAIMS, { header: { alg } }))).toMatchObject({ uid: 'ann' });
  });

  test.each<[string, { publicKey: KeyObject; privateKey: KeyObject }]>([
    ['RS256', RSA],
    ['ES256', P256],
    ['ES384', P384],
    ['EdDSA', ED],
    ['Ed25519', ED],
  ])('%s with a public key', async (alg, pair) => {
    const token = signToken(CLAIMS, { key: pair.privateKey, header: { alg } });
    expect(await verifier(keys(publicJwk(pair))).verify(token)).toMatchObject({ uid: 'ann' });
  });

  test('alg none is rejected, in any spelling', async () => {
    for (const alg of ['none', 'None', 'NONE', '']) {
      const [header, payload] = hs(CLAIMS, { header: { alg } }).split('.');
      expect(await rejected(`${header}.${payload}.`)).toMatch(/^invalid: No configured key/);
    }
  });

  test('HS256 signed with the public key is rejected, in each of its forms', async () => {
    const { publicKey } = RSA;
    const forms = [
      publicKey.export({ format: 'pem', type: 'spki' }).toString(),
      publicKey.export({ format: 'der', type: 'spki' }).toString('latin1'),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
    ];
    for (const key of forms) {
      const token = signToken(CLAIMS, { key, header: { alg: 'HS256' } });
      expect(await rejected(token, keys(publicJwk(RSA)))).toMatch(/^invalid: No configured key/);
    }
  });

  test('the algorithm of another key type is rejected', async () => {
    const token = signToken(CLAIMS, { key: RSA.privateKey, header: { alg: 'RS512' } });
    expect(await rejected(token, keys(publicJwk(RSA)))).toMatch(/^invalid: No configured key/);
    const other = signToken(CLAIMS, { key: RSA.privateKey });
    expect(await rejected(other, keys(publicJwk(RSA, { alg: 'PS256' })))).toMatch(/^invalid: No configured/);
  });

  test.each(['RS256', 'ES256', 'EdDSA'])('%s is rejected where only a secret is configured', async (alg) => {
    expect(await rejected(hs(CLAIMS, { header: { alg } }))).toMatch(/^invalid: No configured key/);
  });
});

describe('several keys', () => {
  test('are chosen by kid', async () => {
    const both = keys(
      publicJwk(P256, { kid: 'a' }),
      publicJwk(P384, { kid: 'b' }),
      publicJwk(RSA, { kid: 'c' }),
    );
    const signed = (kid: string, key: KeyObject): string => signToken(CLAIMS, { key, header: { kid } });
    expect(await verifier(both).verify(signed('b', P384.privateKey))).toMatchObject({ uid: 'ann' });
    expect(await rejected(signed('x', P256.privateKey), both)).toMatch(
      /^invalid: No configured key has the kid/,
    );
    expect(await rejected(signed('b', P256.privateKey), both)).toMatch(
      /^invalid: No configured key has the kid/,
    );
  });

  test('are all tried for a token without kid', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const both = keys(publicJwk(other, { kid: 'a' }), publicJwk(P256, { kid: 'b' }));
    expect(await verifier(both).verify(signToken(CLAIMS, { key: P256.privateKey }))).toBeDefined();
  });

  test('two secrets are valid at a time', async () => {
    const next = 'another secret of thirty-two bytes';
    const both = verifier({ secrets: [SECRET, next] });
    expect(await both.verify(hs(CLAIMS))).toBeDefined();
    expect(await both.verify(signToken(CLAIMS, { key: next }))).toBeDefined();
    const third = signToken(CLAIMS, { key: `${next}!` });
    expect(await rejected(third, { secrets: [SECRET, next] })).toMatch(/^invalid: The signature/);
  });
});

describe('rejects', () => {
  test.each<[string, string, RegExp]>([
    ['another secret', hs(CLAIMS, { key: `${SECRET}!` }), /^invalid: The signature of the token is wrong/],
    ['exp as text', hs({ sub: 'ann', exp: String(EXP) }), /^invalid: Claim exp of the token is invalid/],
    [
      'exp in milliseconds',
      hs({ sub: 'ann', exp: EXP * 1_000 }),
      /^invalid: Claim exp .* not in milliseconds/,
    ],
    ['exp that is missing', hs({ sub: 'ann' }), /^invalid: Claim exp of the token is missing/],
    ['exp null', hs({ sub: 'ann', exp: null }), /^invalid: Claim exp of the token is invalid/],
    ['exp below 0', hs({ sub: 'ann', exp: -1 }), /^expired/],
    ['exp beyond all numbers', hs(`{"sub":"ann","exp":1e400}`), /^invalid: Claim exp/],
    ['exp in the past', hs({ sub: 'ann', exp: NOW - 30 }), /^expired: The token has expired/],
    ['nbf ahead', hs({ ...CLAIMS, nbf: NOW + 60 }), /^invalid: Claim nbf of the token is invalid/],
    ['nbf as text', hs({ ...CLAIMS, nbf: '0' }), /^invalid: Claim nbf/],
    ['iat ahead', hs({ ...CLAIMS, iat: NOW + 60 }), /^invalid: Claim iat of the token is in the future/],
    [
      'iat in milliseconds',
      hs({ ...CLAIMS, iat: NOW * 1_000 }),
      /^invalid: Claim iat .* not in milliseconds/,
    ],
    ['iat as text', hs({ ...CLAIMS, iat: '0' }), /^invalid: Claim iat/],
    ['crit', hs(CLAIMS, { header: { crit: ['exp'], exp: EXP } }), /^invalid: .* has crit or b64/],
    ['an empty crit', hs(CLAIMS, { header: { crit: [] } }), /^invalid: .* has crit or b64/],
    ['b64: false', hs(CLAIMS, { header: { b64: false, crit: ['b64'] } }), /^invalid: .* has crit or b64/],
    ['b64: false without crit', hs(CLAIMS, { header: { b64: false } }), /^invalid: .* has crit or b64/],
    ['a kid that is no string', hs(CLAIMS, { header: { kid: 1 } }), /^invalid: .* kid must be a string/],
    ['a header without alg', hs(CLAIMS, { header: '{}' }), /^invalid: The header of the token needs alg/],
    ['sub that is missing', hs({ exp: EXP }), /^invalid: Claim sub of the token must be/],
    ['sub a number', hs({ sub: 42, exp: EXP }), /^invalid: Claim sub/],
    ['an empty sub', hs({ sub: '', exp: EXP }), /^invalid: Claim sub/],
    ['sub with a control character', hs({ sub: 'a\nb', exp: EXP }), /^invalid: Claim sub/],
    ['sub with a direction mark', hs({ sub: 'a\u202eb', exp: EXP }), /^invalid: Claim sub/],
    ['sub *', hs({ sub: '*', exp: EXP }), /^invalid: Claim sub/],
    ['sub with a * inside', hs({ sub: 'a*', exp: EXP }), /^invalid: Claim sub/],
    ['a long sub', hs({ sub: 'a'.repeat(256), exp: EXP }), /^invalid: Claim sub/],
    ['half of a surrogate pair in sub', hs(`{"sub":"\\ud800","exp":${EXP}}`), /^invalid: Claim sub/],
    ['jti a number', hs({ ...CLAIMS, jti: 1 }), /^invalid: Claim jti of the token must be a string/],
    ['an empty jti', hs({ ...CLAIMS, jti: '' }), /^invalid: Claim jti/],
    [
      'a long jti',
      hs({ ...CLAIMS, jti: 'x'.repeat(256) }),
      /^invalid: Claim jti of the token must have 1 to 255/,
    ],
    ['a claim twice', hs(`{"sub":"ann","sub":"bob","exp":${EXP}}`), /^invalid: .* twice/],
    ['a claim twice, once with an escape', hs(`{"sub":"ann","s\\u0075b":"bob","exp":${EXP}}`), /twice/],
    [
      'a pattern twice',
      hs(`{"sub":"ann","exp":${EXP},"groupcast":{"can":{"a":["join"],"a":["*"]}}}`),
      /^invalid: .* twice/,
    ],
    ['a field of the header twice', hs(CLAIMS, { header: '{"alg":"HS256","kid":"a","kid":"b"}' }), /twice/],
    ['a payload that is a list', hs('[]'), /^invalid: The token is malformed/],
    ['a payload that is no JSON', hs('{"sub":"ann"'), /^invalid: The token is malformed/],
    ['an empty token', '', /^invalid: The token is not a JWT/],
    ['one part', 'abc', /^invalid: The token is not a JWT/],
    ['two parts', hs(CLAIMS).split('.', 2).join('.'), /^invalid/],
    ['four parts', `${hs(CLAIMS)}.x`, /^invalid/],
    ['white space', ` ${hs(CLAIMS)}`, /^invalid/],
    ['a token with padding', `${hs(CLAIMS)}=`, /^invalid/],
    ['groupcast a string', fromGroupcast('x'), /^invalid: Claim groupcast of the token must be an object/],
    ['can a list', fromGroupcast({ can: ['join'] }), /^invalid: Claim groupcast.can of the token must map/],
    [
      'can null',
      fromGroupcast({ can: null }),
      /^invalid: Claim groupcast.can of the token must be an object/,
    ],
    [
      'an unknown operation',
      fromGroupcast({ can: { a: ['read'] } }),
      /^invalid: Claim groupcast.can .* join, history/,
    ],
    ['operations as a text', fromGroupcast({ can: { a: 'join' } }), /^invalid: Claim groupcast.can/],
    ['an empty pattern', fromGroupcast({ can: { '': ['join'] } }), /^invalid: Claim groupcast.can/],
    [
      'a long pattern',
      fromGroupcast({ can: { ['a'.repeat(256)]: ['join'] } }),
      /^invalid: Claim groupcast.can/,
    ],
    [
      'a control character in a pattern',
      fromGroupcast({ can: { 'a\n': ['join'] } }),
      /^invalid: Claim groupcast.can/,
    ],
    [
      '65 patterns',
      fromGroupcast({ can: Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`g${at}`, []])) }),
      /^invalid: Claim groupcast.can of the token must have at most 64 patterns/,
    ],
    [
      'join an object',
      fromGroupcast({ join: {} }),
      /^invalid: Claim groupcast.join of the token must be a list/,
    ],
    [
      'join with a number',
      fromGroupcast({ join: [1] }),
      /^invalid: Claim groupcast.join of the token must be a list/,
    ],
    ['join with an invalid name', fromGroupcast({ join: ['\n'] }), /^invalid: Claim groupcast.join/],
    [
      'more joins than groups',
      fromGroupcast({ join: ['a', 'b', 'c', 'd'] }),
      /groupcast.join .* more than 3 groups/,
    ],
    [
      'a long info',
      fromGroupcast({ info: 'x'.repeat(1_023) }),
      /^invalid: Claim groupcast.info .* 1024 bytes/,
    ],
    [
      'no messages',
      fromGroupcast({ limits: { messages_per_second: 0 } }),
      /groupcast.limits .* must be above 0/,
    ],
    ['a negative limit', fromGroupcast({ limits: { groups: -1 } }), /groupcast.limits .* must be above 0/],
    ['half a group', fromGroupcast({ limits: { groups: 0.5 } }), /groupcast.limits .* must be an integer/],
    ['limits a list', fromGroupcast({ limits: [] }), /groupcast.limits of the token must be an object/],
  ])('%s', async (_name, token, sentence) => {
    expect(await rejected(token)).toMatch(sentence);
  });

  test('aud that is missing, wrong, or of the wrong type, and accepts one of several', async () => {
    const audience = ['chat', 'news'];
    for (const aud of [undefined, 'other', [], ['other'], 1, null, { chat: 1 }, 'chat,news']) {
      expect(await rejected(hs({ ...CLAIMS, aud }), { audience })).toMatch(
        /^invalid: Claim aud of the token is/,
      );
    }
    for (const aud of ['chat', ['other', 'news']]) {
      expect(await verifier({ audience }).verify(hs({ ...CLAIMS, aud }))).toBeDefined();
    }
  });

  test('iss that is missing or wrong', async () => {
    const issuer = 'https://login.example';
    for (const iss of [undefined, 'https://other.example', [issuer], 1]) {
      expect(await rejected(hs({ ...CLAIMS, iss }), { issuer })).toMatch(
        /^invalid: Claim iss of the token is/,
      );
    }
    expect(await verifier({ issuer }).verify(hs({ ...CLAIMS, iss: issuer }))).toBeDefined();
  });

  test('a token of more than 4 KiB', async () => {
    const sized = (bytes: number): string => {
      const empty = hs({ ...CLAIMS, x: '' }).length;
      // Three bytes of the payload are four of the token.
      for (let length = Math.floor(((bytes - empty) * 3) / 4) - 2; ; length++) {
        const token = hs({ ...CLAIMS, x: 'x'.repeat(length) });
        if (token.length >= bytes) return token;
      }
    };
    expect(sized(4_096)).toHaveLength(4_096);
    expect(await verifier().verify(sized(4_096))).toMatchObject({ uid: 'ann' });
    expect(await rejected(sized(4_097))).toMatch(/^invalid: The token is longer than 4096 bytes/);
  });
});

test('a token counts for 25 s after its exp, and clocks may differ by as much', async () => {
  // The file may have begun several seconds ago.
  const now = Math.floor(Date.now() / 1_000);
  expect(await verifier().verify(hs({ sub: 'ann', exp: now - 20 }))).toBeDefined();
  expect(await verifier().verify(hs({ ...CLAIMS, nbf: now + 20, iat: now + 20 }))).toBeDefined();
});

test('without exp, where that is allowed, a token never expires', async () => {
  expect(await verifier({ withoutExp: true }).verify(hs({ sub: 'ann' }))).toMatchObject({
    expiresAt: undefined,
  });
  expect(await rejected(hs({ sub: 'ann', exp: NOW - 30 }), { withoutExp: true })).toMatch(/^expired/);
});

test('64 patterns and 1,024 bytes of info are accepted, also with names that every object has', async () => {
  const can = Object.fromEntries(Array.from({ length: 63 }, (_, at) => [`g${at}`, ['join']]));
  const text = JSON.stringify({ ...CLAIMS, groupcast: { can, info: 'x'.repeat(1_022) } });
  const { grants, info } = await verifier().verify(hs(text.replace('"g0"', '"__proto__":["join"],"g0"')));
  expect(['__proto__', 'g62', 'constructor'].map((name) => grants.allows('join', name))).toEqual([
    true,
    true,
    false,
  ]);
  expect(info).toHaveLength(1_022);
});

test('a changed byte anywhere in a token is noticed', async () => {
  const token = hs({ ...CLAIMS, groupcast: { can: { a: ['join'] } } });
  const checked = verifier();
  for (let at = 0; at < token.length; at++) {
    // The last character of a signature may have bits that mean nothing.
    const changed = `${token.slice(0, at)}${token[at] === 'A' ? 'Q' : 'A'}${token.slice(at + 1)}`;
    const outcome = await checked.verify(changed).then(
      () => 'accepted',
      (error) => error.name,
    );
    expect(outcome, `character ${at}`).toBe('TokenError');
  }
});
