import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signToken } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { TokenError } from './token-error.ts';
import { TokenVerifier } from './token-verifier.ts';

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const SHORT_RSA = generateKeyPairSync('rsa', { modulusLength: 1_024 });

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

// Only the clock is faked: requests and their timers are real.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms);
}

function jwk(pair: Pair, more: object = {}): object {
  return { ...pair.publicKey.export({ format: 'jwk' }), ...more };
}

function setOf(...keys: object[]): string {
  return JSON.stringify({ keys });
}

/** A server of keys whose answer can be replaced, and a verifier with its URL. */
class Provider {
  readonly failures: Error[] = [];
  requests = 0;
  #answer: RequestListener = () => {};
  readonly #server = createServer((request, response) => {
    this.requests += 1;
    this.#answer(request, response);
  });
  #verifier: TokenVerifier | undefined;

  static async start(body: string): Promise<Provider> {
    const provider = new Provider();
    provider.serve(body);
    await provider.listen(0);
    const { port } = provider.#server.address() as AddressInfo;
    provider.#verifier = new TokenVerifier(
      {
        secrets: [],
        keys: [],
        jwksUrl: `http://127.0.0.1:${port}/keys`,
        audience: ['chat'],
        issuer: '',
        withoutExp: false,
        groupsMax: 128,
      },
      (error) => provider.failures.push(error),
    );
    onTestFinished(() => provider.stop());
    return provider;
  }

  serve(body: string): void {
    this.answer((_request, response) => response.end(body));
  }

  answer(answer: RequestListener): void {
    this.#answer = answer;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Returns 'accepted', or the error with which a token is rejected. */
  async check(pair: Pair, header: object = {}): Promise<string> {
    const claims = { sub: 'ann', aud: 'chat', exp: Date.now() / 1_000 + 60 };
    const token = signToken(claims, { key: pair.privateKey, header });
    try {
      await this.#verifier?.verify(token);
      return 'accepted';
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      return `${error.code}: ${error.message}`;
    }
  }
}

const UNKNOWN = /^invalid: No configured key has the kid/;
const UNAVAILABLE = /^unavailable: The keys that check tokens cannot be loaded/;

test('keys are loaded with the first token, once for all that wait', async () => {
  const provider = await Provider.start(setOf(jwk(EC, { kid: 'a' }), jwk(RSA, { kid: 'b' })));
  expect(provider.requests).toBe(0);
  const checks = [provider.check(EC, { kid: 'a' }), provider.check(RSA, { kid: 'b' }), provider.check(EC)];
  expect(await Promise.all(checks)).toEqual(['accepted', 'accepted', 'accepted']);
  expect(provider.requests).toBe(1);
});

test('an unknown kid loads the set again, at most every 30 s', async () => {
  const provider = await Provider.start(setOf(jwk(RSA, { kid: 'old' })));
  expect(await provider.check(RSA, { kid: 'old' })).toBe('accepted');
  provider.serve(setOf(jwk(EC, { kid: 'new' })));
  for (let times = 0; times < 10; times++) expect(await provider.check(EC, { kid: 'new' })).toMatch(UNKNOWN);
  expect(provider.requests).toBe(1);
  pass(31 * SECOND);
  expect(await provider.check(EC, { kid: 'new' })).toBe('accepted');
  expect(await provider.check(RSA, { kid: 'old' })).toMatch(UNKNOWN);
  expect(provider.requests).toBe(2);
});

test('the set is loaded again after ten minutes, so a key that was removed ends', async () => {
  const provider = await Provider.start(setOf(jwk(RSA, { kid: 'a' }), jwk(EC, { kid: 'b' })));
  expect(await provider.check(RSA, { kid: 'a' })).toBe('accepted');
  provider.serve(setOf(jwk(EC, { kid: 'b' })));
  pass(601 * SECOND);
  expect(await provider.check(RSA, { kid: 'a' })).toMatch(UNKNOWN);
});

test('down at the start: tokens are unavailable, and accepted when the URL answers', async () => {
  const provider = await Provider.start(setOf(jwk(EC)));
  const { port } = provider;
  await provider.stop();
  for (let times = 0; times < 10; times++) expect(await provider.check(EC)).toMatch(UNAVAILABLE);
  // Further requests wait for 5 s, however many tokens come.
  expect(provider.failures).toHaveLength(1);
  expect(provider.failures[0]?.message).toMatch(
    /^The keys at http:\/\/127\.0\.0\.1:\d+\/keys cannot be loaded/,
  );
  await provider.listen(port);
  pass(6 * SECOND);
  expect(await provider.check(EC)).toBe('accepted');
});

test('the last good set counts for 24 h while the URL fails', async () => {
  const provider = await Provider.start(setOf(jwk(EC, { kid: 'a' })));
  expect(await provider.check(EC, { kid: 'a' })).toBe('accepted');
  provider.answer((_request, response) => response.writeHead(500).end());
  pass(23 * HOUR);
  expect(await provider.check(EC, { kid: 'a' })).toBe('accepted');
  expect(await provider.check(EC, { kid: 'a' })).toBe('accepted');
  expect(provider.failures.map(({ message }) => message)).toEqual([
    expect.stringMatching(/has the status 500/),
  ]);
  pass(HOUR + SECOND);
  expect(await provider.check(EC, { kid: 'a' })).toMatch(UNAVAILABLE);
});

describe('a response is no set of keys:', () => {
  test.each<[string, RequestListener, RegExp]>([
    ['not JSON', (_request, response) => response.end('<html>'), /is not JSON/],
    ['null', (_request, response) => response.end('null'), /is not a JWK set/],
    ['another object', (_request, response) => response.end('{"keys":{}}'), /is not a JWK set/],
    ['no keys', (_request, response) => response.end('{"keys":[]}'), /has no usable key/],
    ['404', (_request, response) => response.writeHead(404).end(), /has the status 404/],
    [
      'a redirect',
      (request, response) => {
        if (request.url === '/other') response.end(setOf(jwk(EC)));
        else response.writeHead(302, { location: '/other' }).end();
      },
      /has the status 302; redirects are not followed/,
    ],
    [
      'more than 256 KiB, and never its end',
      (_request, response) => response.write(`{"keys":[],"x":"${'x'.repeat(256 * 1_024)}`),
      /is longer than 262144 bytes/,
    ],
    [
      'cut off',
      (_request, response) => response.write('{"keys"', () => response.destroy()),
      /cannot be loaded/,
    ],
  ])('%s', async (_name, answer, reason) => {
    const provider = await Provider.start('');
    provider.answer(answer);
    expect(await provider.check(EC)).toMatch(UNAVAILABLE);
    expect(provider.failures[0]?.message).toMatch(reason);
  });

  test('one that does not come within 5 s', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      expect(ms).toBe(5_000);
      return AbortSignal.abort(new DOMException('Too late.', 'TimeoutError'));
    });
    const provider = await Provider.start('');
    expect(await provider.check(EC)).toMatch(UNAVAILABLE);
    timeout.mockRestore();
    expect(provider.failures[0]?.message).toMatch(/Too late/);
  });
});

describe('a key in a set is not used when it is', () => {
  test.each<[string, Pair, object]>([
    ['an RSA key under 2,048 bits', SHORT_RSA, jwk(SHORT_RSA, { kid: 'x' })],
    ['for encryption', RSA, jwk(RSA, { kid: 'x', use: 'enc' })],
    ['of another algorithm', RSA, jwk(RSA, { kid: 'x', alg: 'RS512' })],
    ['private, and so no secret any more', EC, { ...EC.privateKey.export({ format: 'jwk' }), kid: 'x' }],
    ['of an unknown type', EC, { ...jwk(EC), kty: 'XY', kid: 'x' }],
  ])('%s', async (_name, pair, key) => {
    const provider = await Provider.start(setOf(key, jwk(EC, { kid: 'good' }), 7 as never, null as never));
    expect(await provider.check(pair, { kid: 'x' })).toMatch(UNKNOWN);
    expect(await provider.check(EC, { kid: 'good' })).toBe('accepted');
  });

  test('symmetric: a token that is signed with it is rejected', async () => {
    const secret = 'a published secret of thirty-two bytes';
    const k = Buffer.from(secret).toString('base64url');
    const provider = await Provider.start(setOf({ kty: 'oct', k, kid: 'x' }, jwk(EC, { kid: 'good' })));
    const key = secret as unknown as KeyObject;
    for (const alg of ['HS256', 'RS256']) {
      const check = provider.check({ publicKey: key, privateKey: key }, { alg, kid: 'x' });
      expect(await check).toMatch(UNKNOWN);
    }
  });
});
