import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Can, Grants } from '../src/auth/grants.ts';
import { allowedIdentity, FakeVerifier } from '../testing/fake-verifier.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

const FORBIDDEN = { type: 'error', code: 'forbidden' };
const OWN: Can = { 'own:{uid}:*': ['*'], shared: ['*'] };
const AT = { epoch: 'epoch-1', offset: 0 };

let started: StartedGateway;
let verifier: FakeVerifier;

beforeEach(async () => {
  verifier = new FakeVerifier();
  for (const uid of ['ann', 'bob', 'mallory']) grant(uid, uid, OWN);
  started = await startGateway({ verifyToken: verifier.verify });
});

afterEach(async () => {
  verifier.byHand = false;
  verifier.settle();
  await started.gateway.close();
});

function grant(token: string, uid: string, can: Can): void {
  verifier.identities.set(token, allowedIdentity(uid, { grants: new Grants(can, uid) }));
}

interface Welcomed {
  readonly client: TestClient;
  readonly clientId: string;
  readonly session: string;
}

/** Connects with a token, and with the session of another connection. */
async function connect(token: string, session?: string): Promise<Welcomed> {
  const sessions = session === undefined ? [] : [`groupcast.session.${session}`];
  const offer = ['groupcast.v1', `groupcast.token.${token}`, ...sessions];
  const client = new TestClient(started.url, offer);
  const welcome = await client.event();
  return { client, clientId: String(welcome['client_id']), session: String(welcome['session']) };
}

type Event = Readonly<Record<string, unknown>>;

/** Returns the events up to the reply with an id, without those of the user's own channel. */
async function eventsUpTo(client: TestClient, id: unknown): Promise<readonly Event[]> {
  const events: Event[] = [];
  for (;;) {
    const event = await client.event();
    if (event['type'] !== 'joined' || event['user'] !== true) events.push(event);
    if (event['id'] === id) return events;
  }
}

/** Sends a command, and returns its reply. */
async function ask(client: TestClient, command: object): Promise<Event> {
  client.send({ ...command, id: 1 });
  return (await eventsUpTo(client, 1)).at(-1) ?? {};
}

/** Returns everything that arrives at a client, up to the reply to a ping. */
async function received(client: TestClient): Promise<readonly Event[]> {
  client.send({ cmd: 'ping', id: 'end' });
  return (await eventsUpTo(client, 'end')).slice(0, -1);
}

/** Returns the calls of the gateway to its hub for the groups of a user. */
function callsFor(uid: string): readonly object[] {
  return started.hub.calls.filter(({ channel }) => channel.startsWith(`group:own:${uid}`));
}

describe('mallory', () => {
  test.each([
    [{ cmd: 'add_group' }, 'join'],
    [{ cmd: 'add_group', since: AT }, 'join'],
    [{ cmd: 'add_group', last: 10 }, 'join'],
    [{ cmd: 'send_to_group', message: 'I am bob' }, 'publish'],
    [{ cmd: 'send_to_group', message: 'I am bob', store: false }, 'publish'],
    [{ cmd: 'history', last: 10 }, 'history'],
    [{ cmd: 'history', since: AT }, 'history'],
    [{ cmd: 'group_info' }, 'info'],
  ])('cannot %j in a group of bob, and learns nothing of it', async (command, operation) => {
    const bob = await connect('bob');
    await ask(bob.client, { cmd: 'add_group', group_id: 'own:bob:1' });
    await ask(bob.client, {
      cmd: 'send_to_group',
      group_id: 'own:bob:1',
      message: 'secret',
      exclude_self: true,
    });
    const mallory = await connect('mallory');
    const calls = callsFor('bob').length;
    const replies: unknown[] = [];
    // One of them exists.
    for (const group_id of ['own:bob:1', 'own:bob:2']) {
      const { message, ...rest } = await ask(mallory.client, { ...command, group_id });
      expect(message).toContain(group_id);
      replies.push(rest);
    }
    const refused = { ...FORBIDDEN, id: 1, operation };
    expect(replies).toEqual([refused, refused]);
    expect(await received(mallory.client)).toEqual([]);
    expect(await received(bob.client)).toEqual([]);
    expect(callsFor('bob')).toHaveLength(calls);
  });

  test('is another client with the session of bob', async () => {
    const bob = await connect('bob');
    const again = await connect('bob', bob.session);
    const mallory = await connect('mallory', bob.session);
    expect(again.clientId).toBe(bob.clientId);
    expect(mallory.clientId).not.toBe(bob.clientId);
  });

  test('cannot take the place of a message of bob with its message_id and session', async () => {
    const bob = await connect('bob');
    const mallory = await connect('mallory', bob.session);
    const send = { cmd: 'send_to_group', group_id: 'shared', message_id: 'order-1' };
    await ask(mallory.client, { ...send, message: 'nothing' });
    await ask(bob.client, { ...send, message: 'ten books' });
    const page = await ask(bob.client, { cmd: 'history', group_id: 'shared', last: 10 });
    // The hub keeps message ids by sender: it sees two.
    expect(page['messages']).toEqual([
      { offset: 1, message: 'nothing', from: { client_id: mallory.clientId, uid: 'mallory' } },
      { offset: 2, message: 'ten books', from: { client_id: bob.clientId, uid: 'bob' } },
    ]);
  });

  test('cannot keep a message from bob with exclude_self, or write in its name', async () => {
    const bob = await connect('bob');
    await ask(bob.client, { cmd: 'add_group', group_id: 'shared' });
    const mallory = await connect('mallory', bob.session);
    const from = { client_id: bob.clientId, uid: 'bob' };
    mallory.client.send({
      cmd: 'send_to_group',
      group_id: 'shared',
      message: 'hello',
      exclude_self: true,
      sender: bob.clientId,
      client_id: bob.clientId,
      from,
      meta: { uid: 'bob' },
      uid: 'bob',
    });
    await ask(mallory.client, { cmd: 'group_info', group_id: 'shared' });
    expect(await received(bob.client)).toMatchObject([
      { type: 'message', message: 'hello', from: { client_id: mallory.clientId, uid: 'mallory' } },
    ]);
  });

  test('gets nothing with the positions of bob in resume', async () => {
    const bob = await connect('bob');
    await ask(bob.client, { cmd: 'send_to_group', group_id: 'own:bob:1', message: 'secret' });
    started.hub.publish('$user:bob', 'secret');
    const mallory = await connect('mallory', bob.session);
    const positions = { 'own:bob:1': AT, '$user:bob': AT, $user: AT };
    await ask(mallory.client, { cmd: 'resume', positions });
    started.advance(5);
    expect(JSON.stringify(await received(mallory.client))).not.toContain('secret');
    expect(callsFor('bob')).toEqual([{ name: 'publish', channel: 'group:own:bob:1' }]);
  });

  test('gets no page of history that arrives after a refresh has narrowed its token', async () => {
    grant('wide', 'mallory', { 'own:bob:1': ['history', 'info'] });
    started.hub.publish('group:own:bob:1', 'secret');
    const { client } = await connect('wide');
    await ask(client, { cmd: 'group_info', group_id: 'own:bob:1' });
    started.hub.byHand = true;
    client.send({ cmd: 'history', group_id: 'own:bob:1', last: 1, id: 'page' });
    client.send({ cmd: 'group_info', group_id: 'own:bob:1', id: 'info' });
    expect(await ask(client, { cmd: 'refresh', token: 'mallory' })).toMatchObject({ type: 'ack' });
    expect(started.hub.reads).toHaveLength(2);
    started.hub.answerReads();
    expect(await received(client)).toMatchObject([
      { ...FORBIDDEN, id: 'page', operation: 'history' },
      { ...FORBIDDEN, id: 'info', operation: 'info' },
    ]);
  });

  test('keeps what its token allows while the next one is checked, and no longer', async () => {
    grant('wide', 'mallory', { 'own:bob:1': ['join'] });
    const { client } = await connect('wide');
    await ask(client, { cmd: 'add_group', group_id: 'own:bob:1' });
    verifier.byHand = true;
    client.send({ cmd: 'refresh', token: 'mallory', id: 'refresh' });
    expect(await received(client)).toEqual([]);
    started.hub.publish('group:own:bob:1', 'before');
    await untilTurn(() => started.gateway.stats().delivered === 1);
    verifier.settle();
    const events = await eventsUpTo(client, 'refresh');
    started.hub.publish('group:own:bob:1', 'after');
    expect([...events, ...(await received(client))]).toMatchObject([
      { type: 'message', message: 'before' },
      { type: 'removed', group_id: 'own:bob:1', reason: 'permission' },
      { type: 'ack', id: 'refresh' },
    ]);
  });

  test('cannot become bob, or stay in a group with the token of bob', async () => {
    const { client } = await connect('mallory');
    const refused = await ask(client, { cmd: 'refresh', token: 'bob' });
    expect(refused).toMatchObject(FORBIDDEN);
    expect(await ask(client, { cmd: 'add_group', group_id: 'own:bob:1' })).toMatchObject(FORBIDDEN);
    expect(await ask(client, { cmd: 'add_group', group_id: 'own:mallory:1' })).toMatchObject({ type: 'ack' });
  });
});
