import { once } from 'node:events';
import type { BanTarget } from '@groupcast/protocol';
import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Grants } from '../src/auth/grants.ts';
import { allowedIdentity, FakeVerifier } from '../testing/fake-verifier.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;
let verifier: FakeVerifier;

beforeEach(async () => {
  verifier = new FakeVerifier();
  verifier.identities.set('ann-token', allowedIdentity('ann', { tokenId: 't-1', issuedAt: 100 }));
  await start();
});

afterEach(async () => {
  await started.gateway.close();
});

type Options = NonNullable<Parameters<typeof startGateway>[0]>;

async function start(options: Options = {}): Promise<void> {
  started = await startGateway({ verifyToken: verifier.verify, ...options });
}

async function restart(options: Options): Promise<void> {
  await started.gateway.close();
  await start(options);
}

/** Connects with a token, and does not wait. */
function connect(token: string, headers: Record<string, string> = {}): TestClient {
  return new TestClient(started.url, ['groupcast.v1', `groupcast.token.${token}`], { headers });
}

/** Resolves when the client is welcome. */
async function welcomed(token: string): Promise<TestClient> {
  const client = connect(token);
  expect(await client.event()).toMatchObject({ type: 'welcome' });
  return client;
}

/** Returns the next event that is not about the user's own channel. */
async function next(client: TestClient): Promise<Record<string, unknown>> {
  for (;;) {
    const event = await client.event();
    if (event['user'] !== true) return event;
  }
}

async function join(client: TestClient, group: string): Promise<void> {
  client.send({ cmd: 'add_group', group_id: group, id: 'join' });
  expect(await next(client)).toMatchObject({ type: 'ack', id: 'join' });
}

/** Events of a client up to its end, without the heartbeat, and its close code. */
async function endOf(client: TestClient): Promise<unknown> {
  const { code, reason } = await client.ended;
  const events = client.pending.map((text) => JSON.parse(text) as { type: string; user?: boolean });
  return [...events.filter(({ user }) => user !== true).map(({ type }) => type), code, reason];
}

function closedByBans(): number {
  const { banned, revoked } = started.gateway.stats().closed;
  return banned + revoked;
}

const TARGETS: readonly [string, BanTarget, object, number, string][] = [
  ['the user', { uid: 'ann' }, {}, 4511, 'This user or address is banned.'],
  ['the user, with a reason', { uid: 'ann' }, { reason: 'Spam.' }, 4511, 'Spam.'],
  ['older tokens', { uid: 'ann' }, { notBefore: 101 }, 4510, 'The token was revoked. Log in again.'],
  ['the token', { tokenId: 't-1' }, {}, 4510, 'The token was revoked. Log in again.'],
  ['the address', { address: '127.0.0.0/8' }, {}, 4511, 'This user or address is banned.'],
];

describe.each(TARGETS)('a ban of %s', (_, target, options, code, reason) => {
  test('closes the connection, and a new one before the welcome, until it ends', async () => {
    const client = await welcomed('ann-token');
    const other = await welcomed('bob');
    await started.hub.ban(target, options);
    expect(await endOf(client)).toEqual(['disconnect', code, reason]);
    expect(await endOf(connect('ann-token'))).toEqual(['disconnect', code, reason]);
    expect(other.ws.readyState).toBe('address' in target ? other.ws.CLOSED : other.ws.OPEN);
    expect(started.gateway.stats().bans).toBe(1);
    await untilTurn(() => closedByBans() === ('address' in target ? 3 : 2));
    await started.hub.unban(target);
    await welcomed('ann-token');
    expect(started.gateway.stats().bans).toBe(0);
  });

  test('holds for the command auth in plain mode', async () => {
    await started.hub.ban(target, options);
    const client = new TestClient(started.url);
    await once(client.ws, 'open');
    client.send({ cmd: 'auth', token: 'ann-token', id: 1 });
    expect(await endOf(client)).toEqual([code, reason]);
  });
});

test('a banned address is rejected before its token is checked', async () => {
  await started.hub.ban({ address: '127.0.0.1' });
  expect(await endOf(connect('ann-token'))).toContain(4511);
  expect(verifier.checked).toEqual([]);
});

test('a refresh with a revoked token closes the connection', async () => {
  verifier.identities.set('lost-token', allowedIdentity('ann', { tokenId: 't-2', issuedAt: 100 }));
  const client = await welcomed('ann-token');
  await started.hub.ban({ tokenId: 't-2' });
  client.send({ cmd: 'refresh', token: 'lost-token', id: 1 });
  expect(await endOf(client)).toEqual(['disconnect', 4510, 'The token was revoked. Log in again.']);
});

test('a ban that arrives while the token is checked holds', async () => {
  verifier.byHand = true;
  const client = connect('ann-token');
  await untilTurn(() => verifier.waiting.length === 1);
  await started.hub.ban({ uid: 'ann' });
  verifier.settle();
  expect(await endOf(client)).toContain(4511);
});

describe.each([true, false])('the address of a client behind a proxy, with fast paths: %s', (fastPaths) => {
  test('is the one that X-Forwarded-For names', async () => {
    await restart({ fastPaths, trustedProxies: ['127.0.0.1'] });
    await started.hub.ban({ address: '203.0.113.0/24' });
    for (const address of ['203.0.113.7', '::ffff:203.0.113.8'])
      expect(await endOf(connect('ann', { 'x-forwarded-for': address }))).toContain(4511);
    expect(await connect('ann', { 'x-forwarded-for': '203.0.114.7' }).event()).toMatchObject({
      type: 'welcome',
    });
  });

  test('is the one of the socket, IPv4 in IPv6 too, where no proxy is trusted', async () => {
    await restart({ fastPaths, host: ['::ffff:127.0.0.1'] });
    await started.hub.ban({ address: '203.0.113.7' });
    expect(await connect('ann', { 'x-forwarded-for': '203.0.113.7' }).event()).toMatchObject({
      type: 'welcome',
    });
    await started.hub.ban({ address: '127.0.0.1' });
    expect(await endOf(connect('ann'))).toContain(4511);
  });
});

describe('a moderator', () => {
  let moderator: TestClient;

  beforeEach(async () => {
    moderator = await welcomed('bob');
  });

  async function managed(command: object): Promise<unknown> {
    moderator.send({ group_id: 'room', uid: 'ann', id: 7, ...command });
    return next(moderator);
  }

  test('kicks: the user is removed with the reason, and may join again', async () => {
    const [client, plain] = [await welcomed('ann-token'), await TestClient.plain(started.url)];
    plain.send({ cmd: 'auth', token: 'ann-token', id: 1 });
    plain.send({ cmd: 'add_group', group_id: 'room', id: 2 });
    expect([await next(plain), await next(plain)]).toMatchObject([{ id: 1 }, { id: 2 }]);
    await join(client, 'room');
    await join(client, 'hall');
    expect(await managed({ cmd: 'kick', reason: 'Out.' })).toEqual({ type: 'ack', id: 7 });
    expect(await next(client)).toEqual({ type: 'removed', group_id: 'room', reason: 'Out.' });
    expect(await next(plain)).toEqual({
      type: 'error',
      group_id: 'room',
      code: 'forbidden',
      operation: 'join',
      message: 'Out.',
    });
    await join(client, 'room');
    expect(started.gateway.stats().bans).toBe(0);
  });

  test('bans: the user is removed, and may not join until the ban ends', async () => {
    const client = await welcomed('ann-token');
    await join(client, 'room');
    expect(await managed({ cmd: 'ban', seconds: 60 })).toEqual({ type: 'ack', id: 7 });
    expect(await next(client)).toEqual({
      type: 'removed',
      group_id: 'room',
      reason: 'Banned from this group.',
    });
    for (const cmd of ['add_group', 'send_to_group', 'history', 'kick'])
      client.send({ cmd, group_id: 'room', message: 'hi', last: 1, uid: 'bob', id: cmd });
    for (const cmd of ['add_group', 'send_to_group', 'history', 'kick'])
      expect(await next(client)).toMatchObject({ type: 'error', id: cmd, code: 'forbidden' });
    await join(client, 'hall');
    expect(await managed({ cmd: 'unban' })).toEqual({ type: 'ack', id: 7 });
    await join(client, 'room');
  });

  test('needs the permission manage for the group', async () => {
    const grants = new Grants({ hall: ['*'], room: ['join'] }, 'eve');
    verifier.identities.set('eve', allowedIdentity('eve', { grants }));
    const eve = await welcomed('eve');
    for (const cmd of ['kick', 'ban', 'unban']) {
      eve.send({ cmd, group_id: 'room', uid: 'ann', id: cmd });
      expect(await next(eve)).toMatchObject({ id: cmd, code: 'forbidden', operation: 'manage' });
    }
    eve.send({ cmd: 'ban', group_id: '$room', uid: 'ann', id: 1 });
    expect(await next(eve)).toMatchObject({ id: 1, code: 'forbidden' });
    eve.send({ cmd: 'ban', group_id: 'hall', uid: 'ann', id: 2 });
    expect(await next(eve)).toEqual({ type: 'ack', id: 2 });
  });

  test('is told when the hub is away', async () => {
    started.hub.away = true;
    expect(await managed({ cmd: 'ban' })).toMatchObject({ type: 'error', id: 7, code: 'hub_unavailable' });
    started.hub.away = false;
  });

  test.each([
    { uid: 'a*' },
    { uid: '' },
    { uid: 7 },
    { seconds: 0 },
    { seconds: 315_360_001 },
    { reason: 'x'.repeat(124) },
  ])('%j is a bad field', async (fields) => {
    expect(await managed({ cmd: 'ban', ...fields })).toMatchObject({ id: 7, code: 'bad_field' });
  });
});

test('without tokens there are no moderators and no copy of bans', async () => {
  await started.gateway.close();
  started = await startGateway();
  const client = await TestClient.v1(started.url);
  for (const cmd of ['kick', 'ban', 'unban']) {
    client.send({ cmd, group_id: 'room', uid: 'ann', id: cmd });
    expect(await next(client)).toMatchObject({ id: cmd, code: 'unauthorized' });
  }
  expect(started.hub.calls.filter(({ channel }) => channel === '$bans')).toEqual([]);
});

test('a gateway is loaded once it has the bans of the hub, and not before', async () => {
  let loads = 0;
  await restart({
    loaded: () => {
      loads += 1;
    },
  });
  await untilTurn(() => loads === 1);
  await started.hub.ban({ uid: 'ann' });
  expect(loads).toBe(1);
});
