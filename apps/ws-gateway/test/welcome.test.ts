import { once } from 'node:events';
import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Grants } from '../src/auth/grants.ts';
import { allowedIdentity, FakeVerifier } from '../testing/fake-verifier.ts';
import { NO_PINGS_MS, type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;
let verifier: FakeVerifier;

beforeEach(() => {
  verifier = new FakeVerifier();
});

afterEach(async () => {
  await started.gateway.close();
});

type Options = NonNullable<Parameters<typeof startGateway>[0]>;

async function start(options: Options = {}): Promise<void> {
  started = await startGateway({ verifyToken: verifier.verify, ...options });
}

function connect(token: string): TestClient {
  return new TestClient(started.url, ['groupcast.v1', `groupcast.token.${token}`]);
}

function at(offset: number): { epoch: string; offset: number } {
  return { epoch: 'epoch-1', offset };
}

describe('the welcome of a user', () => {
  beforeEach(async () => {
    const can = { open: ['join', 'history'], live: ['join'], own: ['publish'] } as const;
    verifier.identities.set(
      'ann',
      allowedIdentity('ann', { groups: ['open', 'live', 'own'], grants: new Grants(can, 'ann') }),
    );
    await start({ groupsOnConnect: ({ uid }) => (uid === undefined ? [] : ['program', `$of ${uid}`]) });
    for (const channel of ['group:open', 'group:live', '$user:ann', 'group:program'])
      started.hub.publish(channel, 'before');
  });

  test('has the positions of the groups of program and token, and of the messages to the user', async () => {
    const client = connect('ann');
    expect(await client.event()).toMatchObject({
      type: 'welcome',
      uid: 'ann',
      user: at(1),
      joined: [
        { group_id: 'open', ...at(1) },
        { group_id: 'program', ...at(1) },
        { group_id: '$of ann', ...at(0) },
      ],
    });
  });

  test('is followed by later messages, by joined without history, and by errors of forbidden groups', async () => {
    const client = connect('ann');
    await client.event();
    for (const channel of ['group:open', 'group:live', '$user:ann', 'group:program'])
      started.hub.publish(channel, `to ${channel}`);
    client.send({ cmd: 'ping' });
    const events = (await client.messages(5)).map((text) => JSON.parse(text));
    expect(events).toContainEqual({ type: 'joined', group_id: 'live', ...at(2) });
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'error', group_id: 'own', code: 'forbidden', operation: 'join' }),
    );
    expect(events).toContainEqual({ type: 'message', user: true, offset: 2, message: 'to $user:ann' });
    for (const group of ['open', 'program'])
      expect(events).toContainEqual({
        type: 'message',
        group_id: group,
        offset: 2,
        message: `to group:${group}`,
      });
    expect(client.pending).toEqual([]);
  });

  test('is followed by the messages after the positions of a resume', async () => {
    const client = connect('ann');
    await client.event();
    client.send({ cmd: 'resume', positions: { open: at(0), live: at(0), $user: at(0) } });
    const events = (await client.messages(6)).map((text) => JSON.parse(text));
    expect(events).toContainEqual({ type: 'joined', group_id: 'open', ...at(1), recovered: true });
    expect(events).toContainEqual({ type: 'joined', user: true, ...at(1), recovered: true });
    expect(events).toContainEqual(expect.objectContaining({ group_id: 'open', message: 'before' }));
    expect(events).toContainEqual(expect.objectContaining({ user: true, message: 'before' }));
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'error', group_id: 'live', operation: 'history' }),
    );
  });

  test('is another one for another user with the same session', async () => {
    const ann = connect('ann');
    const { client_id: id, session } = await ann.event();
    const again = new TestClient(started.url, [
      'groupcast.v1',
      'groupcast.token.ann',
      `groupcast.session.${session}`,
    ]);
    expect(await again.event()).toMatchObject({ client_id: id, session });
    const bob = new TestClient(started.url, [
      'groupcast.v1',
      'groupcast.token.bob',
      `groupcast.session.${session}`,
    ]);
    const welcome = await bob.event();
    expect(welcome).toMatchObject({ uid: 'bob', session });
    expect(welcome['client_id']).not.toBe(id);
  });
});

describe('an anonymous client, where namespaces allow it', () => {
  beforeEach(() => start({ anonymous: 'namespace', heartbeatMs: NO_PINGS_MS }));

  test('has a welcome at once, and a second one after auth', async () => {
    const client = await TestClient.v1(started.url);
    const { session } = client;
    expect(await client.ask({ cmd: 'auth', token: 'ann', id: 1 })).toMatchObject({
      type: 'welcome',
      uid: 'ann',
      session,
      user: at(0),
    });
    expect(await client.event()).toEqual({ type: 'ack', id: 1 });
    expect(await client.ask({ cmd: 'resume', positions: {}, id: 2 })).toEqual({ type: 'ack', id: 2 });
    expect(started.gateway.stats()).toMatchObject({ connections: 1, authenticated: 1, accepted: 1 });
  });

  test('stays anonymous with any other first command', async () => {
    const client = await TestClient.v1(started.url);
    started.advance(20);
    client.send('no JSON');
    expect(await client.event()).toMatchObject({ type: 'error', code: 'bad_json' });
    expect(await client.ask({ cmd: 'auth', token: 'ann', id: 1 })).toMatchObject({
      type: 'error',
      code: 'bad_field',
    });
    expect(started.gateway.stats().authenticated).toBe(0);
  });

  test('is closed for a bad token, also while others wait for the check', async () => {
    verifier.byHand = true;
    const client = await TestClient.plain(started.url);
    client.send({ cmd: 'auth', token: 'invalid', id: 1 });
    client.send({ cmd: 'ping', id: 2 });
    await untilTurn(() => verifier.waiting.length === 1);
    verifier.settle();
    expect(await client.ended).toMatchObject({ code: 4501 });
    expect(client.pending).toEqual([]);
  });

  test('may send its token before the welcome', async () => {
    await started.gateway.close();
    await start({ anonymous: 'namespace', groupsOnConnect: () => ['g'] });
    started.hub.byHand = true;
    const client = new TestClient(started.url, ['groupcast.v1']);
    await once(client.ws, 'open');
    client.send({ cmd: 'auth', token: 'ann', id: 1 });
    client.send({ cmd: 'ping', id: 2 });
    await untilTurn(() => started.gateway.stats().received === 2);
    started.hub.answerReads();
    expect(await client.event()).not.toHaveProperty('uid');
    await untilTurn(() => started.hub.reads.length === 2);
    started.hub.answerReads();
    expect(await client.event()).toMatchObject({ type: 'welcome', uid: 'ann' });
    for (const id of [1, 2]) expect(await client.event()).toEqual({ type: 'ack', id });
  });
});
