import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Can, Grants } from '../src/auth/grants.ts';
import type { Identity } from '../src/auth/identity.ts';
import { allowedIdentity, FakeVerifier } from '../testing/fake-verifier.ts';
import { NO_PINGS_MS, type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

const YEAR_SECONDS = 365 * 24 * 3_600;

let started: StartedGateway;
let verifier: FakeVerifier;
/** Seconds since 1970. */
let now: number;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  now = 1_800_000_000;
  vi.setSystemTime(now * 1_000);
  verifier = new FakeVerifier();
  started = await startGateway({ verifyToken: verifier.verify, heartbeatMs: NO_PINGS_MS });
});

afterEach(async () => {
  verifier.settle();
  await started.gateway.close();
  vi.useRealTimers();
});

/** Makes a token of ann, with these differences to one that allows everything and never expires. */
function issue(token: string, more: Partial<Identity>): void {
  verifier.identities.set(token, allowedIdentity('ann', more));
}

function can(grants: Can): Partial<Identity> {
  return { grants: new Grants(grants, 'ann') };
}

function advance(seconds: number): void {
  for (let passed = 0; passed < seconds; passed++) {
    now += 1;
    vi.setSystemTime(now * 1_000);
    started.advance(1);
  }
}

async function connect(token: string): Promise<TestClient & { welcome: Record<string, unknown> }> {
  const client = new TestClient(started.url, ['groupcast.v1', `groupcast.token.${token}`]);
  return Object.assign(client, { welcome: await client.event() });
}

async function plain(token: string): Promise<TestClient> {
  const client = await TestClient.plain(started.url);
  await client.ask({ cmd: 'auth', token, id: 'auth' });
  return client;
}

describe('refresh', () => {
  test('tells the life of the new token', async () => {
    issue('short', { expiresAt: now + 60 });
    issue('long', { expiresAt: now + 3_600 });
    const client = await connect('short');
    expect(client.welcome).toMatchObject({ token_expires_in_ms: 60_000 });
    const refreshed = await client.ask({ cmd: 'refresh', token: 'long', id: 1 });
    expect(refreshed).toEqual({ type: 'ack', id: 1, token_expires_in_ms: 3_600_000 });
    expect(await client.ask({ cmd: 'refresh', token: 'ann', id: 2 })).toEqual({ type: 'ack', id: 2 });
    client.send({ cmd: 'refresh', token: 'long' });
    await untilTurn(() => verifier.checked.length === 4);
    expect(await client.ask({ cmd: 'ping', id: 3 })).toEqual({ type: 'ack', id: 3 });
  });

  test('that narrows leaves the groups that are not allowed any more, before the ack', async () => {
    issue('narrow', can({ kept: ['join'] }));
    const client = await connect('ann');
    for (const [id, group_id] of ['a', 'kept', 'b'].entries())
      await client.ask({ cmd: 'add_group', group_id, id });
    client.send({ cmd: 'refresh', token: 'narrow', id: 'r' });
    expect(await client.event()).toEqual({ type: 'removed', group_id: 'a', reason: 'permission' });
    expect(await client.event()).toEqual({ type: 'removed', group_id: 'b', reason: 'permission' });
    expect(await client.event()).toEqual({ type: 'ack', id: 'r' });
    for (const group of ['a', 'kept']) started.hub.publish(`group:${group}`, group);
    expect(await client.event()).toMatchObject({ type: 'message', group_id: 'kept' });
    const join = await client.ask({ cmd: 'add_group', group_id: 'a', id: 1 });
    expect(join).toMatchObject({ type: 'error', code: 'forbidden', operation: 'join' });
    expect(started.gateway.connections()).toMatchObject([{ state: 'open', groups: 1 }]);
  });

  test('that narrows tells a plain client by errors', async () => {
    issue('narrow', can({}));
    const client = await plain('ann');
    await client.ask({ cmd: 'add_group', group_id: 'a', id: 1 });
    const error = await client.ask({ cmd: 'refresh', token: 'narrow', id: 2 });
    expect(error).toMatchObject({ type: 'error', code: 'forbidden', group_id: 'a' });
    expect(await client.event()).toEqual({ type: 'ack', id: 2 });
  });

  test('keeps the groups of the program', async () => {
    issue('narrow', can({}));
    const client = await connect('ann');
    const clientId = String(client.welcome['client_id']);
    for (const name of ['program', '$system']) started.gateway.joinGroup(clientId, name);
    await client.messages(2);
    expect(await client.ask({ cmd: 'refresh', token: 'narrow', id: 1 })).toEqual({ type: 'ack', id: 1 });
    expect(started.gateway.connections()).toMatchObject([{ groups: 2 }]);
  });

  test('that widens counts at once', async () => {
    issue('narrow', can({}));
    const client = await connect('narrow');
    const join = { cmd: 'add_group', group_id: 'g', id: 1 };
    expect(await client.ask(join)).toMatchObject({ code: 'forbidden' });
    await client.ask({ cmd: 'refresh', token: 'ann', id: 2 });
    expect(await client.ask(join)).toMatchObject({ type: 'ack', id: 1 });
  });

  test.each([
    ['invalid', 'unauthorized', 'The token is invalid.'],
    ['expired', 'unauthorized', 'The token is expired.'],
    ['unavailable', 'internal_error', 'The token is unavailable.'],
    ['defect', 'internal_error', 'The token could not be checked. Try again later.'],
    ['bob', 'forbidden', 'The token is one of another user. Connect again with it.'],
  ])('with a token that is %s is rejected, and changes nothing', async (token, code, message) => {
    issue('first', can({ g: ['join'] }));
    const client = await connect('first');
    await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    const reply = await client.ask({ cmd: 'refresh', token, id: 2 });
    expect(reply).toEqual({ type: 'error', id: 2, code, message });
    started.hub.publish('group:g', 'still here');
    expect(await client.event()).toMatchObject({ message: 'still here' });
    expect(started.gateway.stats().authenticated).toBe(1);
  });

  test('ten times with a bad token closes', async () => {
    const client = await connect('ann');
    for (let id = 1; id <= 9; id++)
      expect(await client.ask({ cmd: 'refresh', token: 'invalid', id })).toMatchObject({ id });
    client.send({ cmd: 'refresh', token: 'invalid', id: 10 });
    expect(await client.ended).toMatchObject({ code: 4500 });
    expect(started.gateway.stats().tokensRejected.invalid).toBe(10);
  });

  test('is one at a time, and other commands do not wait for it', async () => {
    const client = await connect('ann');
    verifier.byHand = true;
    client.send({ cmd: 'refresh', token: 'ann', id: 1 });
    const second = await client.ask({ cmd: 'refresh', token: 'ann', id: 2 });
    expect(second).toMatchObject({ type: 'error', id: 2, code: 'rate_limited' });
    expect(await client.ask({ cmd: 'ping', id: 3 })).toEqual({ type: 'ack', id: 3 });
    verifier.settle();
    expect(await client.event()).toEqual({ type: 'ack', id: 1 });
  });

  test('of a connection that closes meanwhile is dropped', async () => {
    const client = await connect('ann');
    verifier.byHand = true;
    client.send({ cmd: 'refresh', token: 'bob', id: 1 });
    await untilTurn(() => verifier.waiting.length === 1);
    client.ws.terminate();
    await untilTurn(() => started.gateway.stats().connections === 0);
    verifier.settle();
    await new Promise((resolve) => setImmediate(resolve));
    expect(started.gateway.stats()).toMatchObject({ authenticated: 0, rejected: { forbidden: 0 } });
  });

  test('needs a token before', async () => {
    const open = await startGateway();
    const client = await TestClient.plain(open.url);
    const reply = await client.ask({ cmd: 'refresh', token: 'ann', id: 1 });
    expect(reply).toMatchObject({ type: 'error', code: 'unauthorized' });
    await open.gateway.close();
  });
});

describe('a token that expires', () => {
  test('closes its connection 25 s later with 4010, in both modes', async () => {
    issue('short', { expiresAt: now + 60 });
    const clients = [await connect('short'), await plain('short')];
    advance(84);
    expect(started.gateway.connections()).toMatchObject([{ state: 'open' }, { state: 'open' }]);
    advance(1);
    for (const client of clients) expect(await client.ended).toMatchObject({ code: 4010 });
    await untilTurn(() => started.gateway.stats().closed.token_expired === 2);
  });

  test('does not close after a refresh, and closes early after one with a shorter life', async () => {
    issue('short', { expiresAt: now + 60 });
    issue('long', { expiresAt: now + 600 });
    const client = await connect('short');
    await client.ask({ cmd: 'refresh', token: 'long', id: 1 });
    advance(100);
    expect(started.gateway.connections()).toMatchObject([{ state: 'open' }]);
    issue('shorter', { expiresAt: now + 1 });
    client.send({ cmd: 'refresh', token: 'shorter', id: 'shorter' });
    await untilTurn(() => client.pending.some((text) => text.includes('shorter')));
    advance(26);
    expect(await client.ended).toMatchObject({ code: 4010 });
  });

  test('in a year is open after a day, and its timer does not fire early', async () => {
    issue('year', { expiresAt: now + YEAR_SECONDS });
    const client = await connect('year');
    expect(client.welcome).toMatchObject({ token_expires_in_ms: YEAR_SECONDS * 1_000 });
    advance(90);
    expect(started.gateway.connections()).toMatchObject([{ state: 'open' }]);
    // The clock says what has passed, also where the ticks do not.
    now += YEAR_SECONDS;
    advance(63);
    expect(await client.ended).toMatchObject({ code: 4010 });
  });

  test('never stays open', async () => {
    await plain('ann');
    now += 10 * YEAR_SECONDS;
    advance(70);
    expect(started.gateway.connections()).toMatchObject([{ state: 'open' }]);
  });
});

describe('limits of a token', () => {
  test('below those of the gateway count, and the welcome tells them', async () => {
    issue('limited', { limits: { messagesPerSecond: 1, groups: 1 } });
    const client = await connect('limited');
    expect(client.welcome['limits']).toMatchObject({ groups: 1, messages_per_second: 1, messages_burst: 2 });
    await client.ask({ cmd: 'add_group', group_id: 'a', id: 1 });
    const second = await client.ask({ cmd: 'add_group', group_id: 'b', id: 2 });
    expect(second).toMatchObject({ type: 'error', code: 'group_limit' });
    expect(await client.ask({ cmd: 'ping', id: 3 })).toMatchObject({ code: 'rate_limited' });
  });

  test('above those of the gateway do not', async () => {
    issue('wide', { limits: { messagesPerSecond: 1_000_000, groups: 1_000_000 } });
    const client = await connect('wide');
    expect(client.welcome['limits']).toMatchObject({ groups: 128, messages_per_second: 1_000 });
  });

  test('change with a refresh', async () => {
    issue('limited', { limits: { messagesPerSecond: 1, groups: 1 } });
    const client = await connect('ann');
    await client.ask({ cmd: 'add_group', group_id: 'a', id: 1 });
    await client.ask({ cmd: 'refresh', token: 'limited', id: 2 });
    const second = await client.ask({ cmd: 'add_group', group_id: 'b', id: 3 });
    expect(second).toMatchObject({ type: 'error', code: 'group_limit' });
    await client.ask({ cmd: 'ping', id: 4 });
    expect(await client.ask({ cmd: 'ping', id: 5 })).toMatchObject({ code: 'rate_limited' });
  });
});
