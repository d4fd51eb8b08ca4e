import { once } from 'node:events';
import { handshake, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { allowedIdentity, FakeVerifier } from '../testing/fake-verifier.ts';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

const ORIGIN = 'https://app.example';
const V1 = 'groupcast.v1';
const COOKIES = { authCookie: 'sid', allowedOrigins: [ORIGIN] };

let started: StartedGateway;
let verifier: FakeVerifier;

beforeEach(() => {
  verifier = new FakeVerifier();
});

afterEach(async () => {
  verifier.settle();
  await started.gateway.close();
});

type Options = NonNullable<Parameters<typeof startGateway>[0]>;

async function start(options: Options = {}): Promise<void> {
  started = await startGateway({ verifyToken: verifier.verify, ...options });
}

/** Connects without reading anything. */
function connect(protocols: string[], headers: Record<string, string> = {}): TestClient {
  return new TestClient(started.url, protocols, { headers, origin: ORIGIN });
}

/** Connects, and resolves with the client when the WebSocket is open. */
async function opened(protocols: string[], headers: Record<string, string> = {}): Promise<TestClient> {
  const client = connect(protocols, headers);
  await once(client.ws, 'open');
  return client;
}

/** Resolves when nothing waits for a time any more. */
async function untilNothingWaits(): Promise<void> {
  await untilTurn(() => started.wheel.waiting === 0);
}

/** Sends a handshake that is rejected, and returns the response. */
async function rejection(...headers: string[]): Promise<string> {
  const client = new RawClient(started.port);
  client.write(handshake([`Origin: ${ORIGIN}`, ...headers]));
  await client.ended;
  return client.http;
}

const BEARER = (token: string): string => `Authorization: Bearer ${token}`;
const OFFER = (...names: string[]): string => `Sec-WebSocket-Protocol: ${names.join(', ')}`;

/** Ways of a token in the handshake that are checked after the response. */
const LATE_WAYS: Readonly<Record<string, (token: string) => TestClient>> = {
  subprotocol: (token) => connect([V1, `groupcast.token.${token}`]),
  'subprotocol before groupcast.v1.at': (token) => connect([`groupcast.token.${token}`, 'groupcast.v1.at']),
  cookie: (token) => connect([V1], { cookie: `a=b; sid="${token}"; sidx=c` }),
};

const WAYS: typeof LATE_WAYS = {
  ...LATE_WAYS,
  Authorization: (token) => connect([V1], { authorization: `bEaReR ${token}` }),
  'all of them': (token) =>
    connect([V1, `groupcast.token.${token}`], {
      authorization: `Bearer ${token}`,
      cookie: `sid=${token}`,
    }),
};

// The fast path reads a handshake itself; without it Node's HTTP parser and ws do.
describe.each([true, false])('a token of the handshake, with fast paths: %s', (fastPaths) => {
  test.each(Object.entries(WAYS))('is accepted: %s', async (_, connectWith) => {
    await start({ ...COOKIES, fastPaths });
    const client = connectWith('ann');
    const welcome = await client.event();
    expect(welcome).toMatchObject({ type: 'welcome', uid: 'ann' });
    expect(welcome).not.toHaveProperty('token_expires_in_ms');
    expect(client.ws.protocol).toMatch(/^groupcast\.v1(\.at)?$/);
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    expect(started.gateway.stats()).toMatchObject({ connections: 1, authenticated: 1, accepted: 1 });
    await client.close();
    await untilTurn(() => started.gateway.stats().authenticated === 0);
  });

  test.each(Object.entries(LATE_WAYS))('closes without a welcome: %s', async (_, connectWith) => {
    await start({ ...COOKIES, fastPaths });
    for (const [token, code] of [
      ['invalid', 4501],
      ['expired', 4010],
      ['unavailable', 1011],
      ['defect', 1011],
      ['x'.repeat(4_097), 4501],
    ] as const) {
      const client = connectWith(token);
      expect(await client.ended).toMatchObject({ code });
      expect(client.pending.map((text) => JSON.parse(text))).toMatchObject([{ type: 'disconnect', code }]);
    }
    await untilTurn(() => started.gateway.stats().connections === 0);
    const { tokensRejected, closed, authenticated } = started.gateway.stats();
    expect(tokensRejected).toEqual({ invalid: 2, expired: 1, unavailable: 2 });
    expect(closed).toMatchObject({ unauthorized: 2, token_expired: 1, internal_error: 2 });
    expect(authenticated).toBe(0);
  });

  test('in Authorization is answered before the WebSocket', async () => {
    await start({ fastPaths });
    for (const token of ['invalid', 'expired', '', 'x'.repeat(4_097)]) {
      const response = await rejection(BEARER(token), OFFER(V1));
      expect(response).toMatch(/^HTTP\/1\.1 401 /);
      expect(response).toContain('www-authenticate: Bearer error="invalid_token"');
      expect(response).toContain('"error":"The token');
    }
    const response = await rejection(BEARER('unavailable'));
    expect(response).toMatch(/^HTTP\/1\.1 503 /);
    expect(response).toContain('retry-after: ');
    expect(started.gateway.stats()).toMatchObject({ accepted: 0, handshakesRejected: { token: 5 } });
  });

  test('in Authorization of a banned user gets 403, and a revoked one 401', async () => {
    await start({ fastPaths });
    verifier.identities.set('revoked', allowedIdentity('bob', { tokenId: 'lost' }));
    await started.hub.ban({ uid: 'ann' }, { reason: 'Spam.' });
    await started.hub.ban({ tokenId: 'lost' });
    expect(await rejection(BEARER('ann'))).toMatch(/^HTTP\/1\.1 403 .*"error":"Spam\."/s);
    expect(await rejection(BEARER('revoked'))).toMatch(/^HTTP\/1\.1 401 .*The token was revoked/s);
    await started.hub.ban({ address: '127.0.0.1' });
    expect(await rejection(BEARER('carl'))).toMatch(/^HTTP\/1\.1 403 .*banned/s);
    expect(started.gateway.stats()).toMatchObject({ accepted: 0, handshakesRejected: { token: 3 } });
  });

  test.each([
    ['of two subprotocols', [OFFER(V1, 'groupcast.token.a', 'groupcast.token.b')], 'two different tokens'],
    ['of two headers', [BEARER('a'), BEARER('b')], 'two different tokens'],
    ['of a header and a cookie', [BEARER('a'), 'Cookie: sid=b'], 'two different tokens'],
    ['of two cookies', ['Cookie: sid=a; sid=b'], 'two different tokens'],
    ['of two cookie headers', ['Cookie: sid=a', 'Cookie: sid=b'], 'two different tokens'],
    ['without groupcast.v1', [OFFER('groupcast.token.a')], 'needs groupcast.v1 beside it'],
    ['with another subprotocol', [OFFER('chat', 'groupcast.token.a')], 'needs groupcast.v1 beside it'],
  ])('%s is answered with 400', async (_, headers, sentence) => {
    await start({ ...COOKIES, fastPaths });
    const response = await rejection(...headers);
    expect(response).toMatch(/^HTTP\/1\.1 400 /);
    expect(response).toContain(sentence);
    expect(started.gateway.stats().handshakesRejected).toMatchObject({ handshake: 1 });
    expect(verifier.checked).toEqual([]);
  });

  test('is ignored without verifyToken, and another scheme or cookie is no token', async () => {
    await start({ fastPaths, verifyToken: undefined });
    const open = connect([V1, 'groupcast.token.invalid', 'groupcast.token.b'], {
      authorization: 'Bearer invalid',
    });
    const welcome = await open.event();
    expect(welcome).toMatchObject({ type: 'welcome' });
    expect(welcome).not.toHaveProperty('uid');
    await started.gateway.close();
    await start({ ...COOKIES, fastPaths });
    const client = await opened([V1], {
      authorization: 'Basic aW52YWxpZA==',
      cookie: 'sid=; Sid=a; x-sid=b',
    });
    expect(await client.ask({ cmd: 'auth', token: 'ann', id: 1 })).toMatchObject({ uid: 'ann' });
    expect(verifier.checked).toEqual(['ann']);
  });
});

describe('the command auth', () => {
  test('opens a connection of groupcast.v1: welcome, ack, commands', async () => {
    await start();
    const client = await opened([V1]);
    expect(await client.ask({ cmd: 'auth', token: 'ann', id: 'a' })).toMatchObject({
      type: 'welcome',
      uid: 'ann',
    });
    expect(await client.event()).toEqual({ type: 'ack', id: 'a' });
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  });

  test('opens a plain connection in silence, or with an ack', async () => {
    await start();
    const client = await TestClient.plain(started.url);
    expect(await client.ask({ cmd: 'auth', token: 'ann', id: 1 })).toEqual({ type: 'ack', id: 1 });
    const silent = await TestClient.plain(started.url);
    silent.send({ cmd: 'auth', token: 'bob' });
    expect(await silent.ask({ cmd: 'ping', id: 2 })).toEqual({ type: 'ack', id: 2 });
    expect(started.gateway.stats().authenticated).toBe(2);
  });

  test.each(['invalid', 'expired', 'unavailable'])('with a token that is %s closes', async (token) => {
    await start();
    const code = { invalid: 4501, expired: 4010, unavailable: 1011 }[token];
    for (const client of [await opened([V1]), await TestClient.plain(started.url)]) {
      client.send({ cmd: 'auth', token, id: 1 });
      expect(await client.ended).toEqual({ code, reason: `The token is ${token}.` });
      expect(client.pending.some((text) => text.includes('"ack"'))).toBe(false);
    }
  });

  test('of 4 KiB + 1 is no command, and the connection still waits for one', async () => {
    await start();
    const client = await TestClient.plain(started.url);
    const long = await client.ask({ cmd: 'auth', token: 'x'.repeat(4_097), id: 1 });
    expect(long).toMatchObject({ type: 'error', id: 1, code: 'bad_field' });
    expect(await client.ask({ cmd: 'auth', token: 'ann', id: 2 })).toEqual({ type: 'ack', id: 2 });
  });

  test('is the only command before the welcome; ten others close', async () => {
    await start();
    const client = await opened([V1]);
    const commands = [
      { cmd: 'add_group', group_id: 'g' },
      { cmd: 'send_to_group', group_id: 'g', message: 'm' },
      { cmd: 'history', group_id: 'g', last: 1 },
      { cmd: 'group_info', group_id: 'g' },
      { cmd: 'leave_group', group_id: 'g' },
      { cmd: 'resume', positions: {} },
      { cmd: 'refresh', token: 'ann' },
      { cmd: 'kick', group_id: 'g', uid: 'ann' },
      { cmd: 'ping' },
    ];
    for (const [id, command] of commands.entries())
      expect(await client.ask({ ...command, id })).toMatchObject({ type: 'error', id, code: 'unauthorized' });
    client.send({ cmd: 'ping', id: 'last' });
    expect(await client.ended).toMatchObject({ code: 4500 });
    expect(started.hub.calls.filter(({ channel }) => channel !== '$bans')).toEqual([]);
    expect(verifier.checked).toEqual([]);
  });

  test('is rejected after the welcome', async () => {
    await start();
    const client = connect([V1, 'groupcast.token.ann']);
    await client.event();
    const again = await client.ask({ cmd: 'auth', token: 'bob', id: 1 });
    expect(again).toMatchObject({ type: 'error', id: 1, code: 'bad_field' });
    for (let id = 2; id <= 10; id++) client.send({ cmd: 'auth', token: 'bob', id });
    expect(await client.ended).toMatchObject({ code: 4500 });
    expect(verifier.checked).toEqual(['ann']);
  });

  // The groups of a plain client are joined at once, those of the other after an answer of the hub.
  test.each([[[]], [[V1]]])('with %j closes with 1011 when groups cannot be joined', async (protocols) => {
    await start({ resumeWaitMs: 0 });
    started.hub.subscribe = () => {
      throw new Error('a defect of the hub client');
    };
    const client = await opened(protocols);
    client.send({ cmd: 'auth', token: 'ann' });
    expect(await client.ended).toMatchObject({ code: 1011 });
  });

  test('must come in time: 4011', async () => {
    await start();
    const v1 = connect([V1]);
    const plain = await TestClient.plain(started.url);
    await untilTurn(() => started.gateway.connections().length === 2);
    started.advance(9);
    expect(started.gateway.connections()).toMatchObject([
      { state: 'authenticating', clientId: '' },
      { state: 'authenticating' },
    ]);
    started.advance(1);
    expect(await v1.ended).toMatchObject({ code: 4011 });
    expect(await plain.ended).toMatchObject({ code: 4011 });
    await untilTurn(() => started.gateway.stats().closed.auth_timeout === 2);
  });
});

describe('while a token is checked', () => {
  beforeEach(() => {
    verifier.byHand = true;
  });

  test('commands wait, and are executed in their order', async () => {
    await start();
    const client = await opened([V1]);
    for (const [id, cmd] of ['auth', 'ping', 'auth', 'ping'].entries())
      client.send({ cmd, id, ...(cmd === 'auth' ? { token: 'ann' } : {}) });
    await untilTurn(() => started.gateway.stats().received === 4);
    expect(client.pending).toEqual([]);
    verifier.settle();
    const events = (await client.messages(5)).map((text) => JSON.parse(text));
    expect(events).toMatchObject([
      { type: 'welcome' },
      { type: 'ack', id: 0 },
      { type: 'ack', id: 1 },
      { type: 'error', id: 2, code: 'bad_field' },
      { type: 'ack', id: 3 },
    ]);
    expect(verifier.checked).toEqual(['ann']);
  });

  test.each([
    ['messages', { earlyMessagesMax: 3 }, '{"cmd":"ping"}'],
    ['bytes', { earlyBytesMax: 300 }, JSON.stringify({ cmd: 'ping', x: 'x'.repeat(80) })],
  ])('too many %s close with 1008', async (_, options, text) => {
    await start(options);
    const client = await opened([V1, 'groupcast.token.ann']);
    for (let count = 0; count < 4; count++) client.send(text);
    expect(await client.ended).toMatchObject({ code: 1008 });
  });

  test('a connection may close, and the result is dropped', async () => {
    await start();
    const client = connect([V1, 'groupcast.token.ann']);
    await untilTurn(() => verifier.waiting.length === 1);
    client.ws.terminate();
    await untilTurn(() => started.gateway.stats().connections === 0);
    verifier.settle();
    expect(started.gateway.stats()).toMatchObject({ connections: 0, authenticated: 0 });
    await untilNothingWaits();
  });

  test('a drain closes it', async () => {
    await start();
    const client = connect([V1, 'groupcast.token.ann']);
    const program = new RawClient(started.port);
    program.write(handshake([BEARER('bob')]));
    await untilTurn(() => verifier.waiting.length === 2);
    const closed = started.gateway.close();
    expect(await client.ended).toMatchObject({ code: 1001 });
    await program.ended;
    await closed;
    expect(program.http).toBe('');
    await untilNothingWaits();
  });

  test('a check that takes too long ends with 1011, and in Authorization with 503', async () => {
    await start();
    const client = connect([V1, 'groupcast.token.ann']);
    const response = rejection(BEARER('bob'));
    await untilTurn(() => verifier.waiting.length === 2);
    started.advance(10);
    expect(await client.ended).toMatchObject({ code: 1011 });
    expect(await response).toMatch(/^HTTP\/1\.1 503 /);
    await untilNothingWaits();
  });

  test('the others wait, and those of closed connections are not checked', async () => {
    await start({ tokenChecksMax: 2 });
    const clients = ['a', 'b', 'c', 'd'].map((token) => connect([V1, `groupcast.token.${token}`]));
    await untilTurn(() => started.gateway.stats().connections === 4);
    expect(verifier.checked).toHaveLength(2);
    const waiting = clients.filter((_, at) => !verifier.checked.includes('abcd'.charAt(at)));
    waiting[0]?.ws.terminate();
    await untilTurn(() => started.gateway.stats().connections === 3);
    verifier.settle();
    await untilTurn(() => verifier.waiting.length === 1);
    verifier.settle();
    for (const client of clients.filter((one) => one !== waiting[0]))
      expect(await client.event()).toMatchObject({ type: 'welcome' });
    expect(verifier.checked).toHaveLength(3);
  });
});
