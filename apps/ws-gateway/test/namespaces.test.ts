import { once } from 'node:events';
import { limits } from '@groupcast/protocol';
import type { Namespace } from '@groupcast/protocol/schema';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Grants } from '../src/auth/grants.ts';
import { allowedIdentity, FakeVerifier } from '../testing/fake-verifier.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;
let client: TestClient;

beforeEach(async () => {
  started = await startGateway();
  // From the next connection to the hub on.
  set([]);
  started.hub.comeBack();
  client = await TestClient.v1(started.url);
});

afterEach(() => started.gateway.close());

function set(namespaces: readonly Namespace[]): void {
  started.hub.set(limits.CONFIG_CHANNEL, limits.NAMESPACES_KEY, JSON.stringify(namespaces));
}

function send(message: unknown, id: number, fields: object = {}): Promise<unknown> {
  return client.ask({ cmd: 'send_to_group', group_id: 'g', message, id, ...fields });
}

const STORED = { type: 'ack', offset: expect.any(Number) };

describe('the namespace of a group', () => {
  test('limits the length of messages, in bytes of what members get', async () => {
    set([{ prefix: 'g', message_bytes_max: 6 }]);
    expect(await send('\u3053\u308c', 1)).toMatchObject(STORED);
    // Twelve bytes in the command.
    client.send('{"cmd":"send_to_group","group_id":"g","message":"\\u3053\\u308c","id":2}');
    expect(await client.event()).toMatchObject(STORED);
    expect(await send('\u3053\u308c!', 3)).toEqual({
      type: 'error',
      id: 3,
      code: 'bad_field',
      message: 'message has 7 bytes; the limit of this group is 6. Send a shorter one.',
    });
    expect(
      await client.ask({ cmd: 'send_to_group', group_id: 'other', message: '1234567', id: 4 }),
    ).toMatchObject(STORED);
    expect(started.gateway.stats()).toMatchObject({ published: 3, rejected: { bad_field: 1 } });
  });

  test('limits the messages of a group per second, which counts for no close', async () => {
    set([{ prefix: '', publish_per_second: 0.001 }]);
    expect(await send('a', 1)).toMatchObject(STORED);
    for (let id = 2; id <= 20; id++) {
      expect(await send('b', id)).toEqual({
        type: 'error',
        id,
        code: 'rate_limited',
        message: "The group's message rate limit, shared by all senders, is reached. Send more slowly.",
      });
    }
    expect(await client.ask({ cmd: 'send_to_group', group_id: 'h', message: 'a', id: 21 })).toMatchObject(
      STORED,
    );
  });

  test('makes messages ephemeral, whatever the command says', async () => {
    set([{ prefix: 'g', ephemeral: true }]);
    await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    for (const fields of [
      {},
      { store: true },
      { store: false },
      { message_id: 'm1' },
      { message_id: 'm1' },
    ]) {
      const message = { type: 'message', group_id: 'g', message: 'a', from: expect.anything() };
      expect(await send('a', 2, fields)).toEqual(message);
      expect(await client.event()).toEqual({ type: 'ack', id: 2, group_id: 'g', stored: false });
    }
    set([]);
    expect(await send('a', 3)).toMatchObject({ type: 'message', offset: 1 });
  });

  test('grants nothing and takes nothing away without tokens', async () => {
    set([{ prefix: '', allow: { users: [], anonymous: [] } }]);
    expect(await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 })).toMatchObject({ type: 'ack' });
    expect(await send('a', 2)).toMatchObject({ type: 'message' });
  });
});

test('a hub without namespaces is asked once, and is left alone', () => {
  expect(started.hub.keyedMaps(limits.CONFIG_CHANNEL)).toBe(1);
});

describe('with tokens', () => {
  const verifier = new FakeVerifier();

  beforeEach(async () => {
    await started.gateway.close();
    for (const uid of ['ann', 'bob'])
      verifier.identities.set(uid, allowedIdentity(uid, { grants: new Grants({}, uid) }));
    started = await startGateway({ verifyToken: verifier.verify });
  });

  /** Connects with a token that grants nothing. */
  async function connect(uid: string, protocol = 'groupcast.v1'): Promise<TestClient> {
    const connected = new TestClient(started.url, [protocol, `groupcast.token.${uid}`]);
    expect(await connected.event()).toMatchObject({ type: 'welcome', uid });
    return connected;
  }

  /** Returns the next event that is not about the channel of the user, which comes at any time. */
  async function eventOf(connected: TestClient): Promise<Record<string, unknown>> {
    for (;;) {
      const event = await connected.event();
      if (event['user'] !== true) return event;
    }
  }

  function ask(connected: TestClient, command: object): Promise<Record<string, unknown>> {
    connected.send(command);
    return eventOf(connected);
  }

  function join(connected: TestClient, group: string): Promise<unknown> {
    return ask(connected, { cmd: 'add_group', group_id: group, id: group });
  }

  const forbidden = (operation: string) => ({ type: 'error', code: 'forbidden', operation });

  test('a namespace allows what a token does not grant, from the moment when it does', async () => {
    const ann = await connect('ann');
    expect(await join(ann, 'chat:1')).toMatchObject(forbidden('join'));
    set([{ prefix: 'chat:', allow: { users: ['join'], members: ['publish'] } }]);
    const publish = { cmd: 'send_to_group', group_id: 'chat:1', message: 'a', id: 1 };
    expect(await ask(ann, publish)).toMatchObject(forbidden('publish'));
    expect(await join(ann, 'chat:1')).toMatchObject({ type: 'ack' });
    expect(await ask(ann, publish)).toMatchObject({ type: 'message', from: { uid: 'ann' } });
    expect(await eventOf(ann)).toMatchObject({ type: 'ack', id: 1 });
    expect(await ask(ann, { cmd: 'history', group_id: 'chat:1', last: 1, id: 2 })).toMatchObject(
      forbidden('history'),
    );
    expect(await join(ann, 'news')).toMatchObject(forbidden('join'));
  });

  test('a change removes the members that may no longer be there, and no others', async () => {
    set([{ prefix: '', allow: { users: ['join'] } }]);
    const [ann, bob] = [await connect('ann'), new TestClient(started.url)];
    await once(bob.ws, 'open');
    expect(await ask(bob, { cmd: 'auth', token: 'bob', id: 'auth' })).toMatchObject({ type: 'ack' });
    for (const each of [ann, bob]) {
      for (const group of ['chat:1', 'news']) expect(await join(each, group)).toMatchObject({ type: 'ack' });
    }
    const [{ clientId } = { clientId: '' }] = started.gateway.connections();
    started.gateway.joinGroup(clientId, 'program');
    expect(await eventOf(ann)).toMatchObject({ type: 'joined', group_id: 'program' });
    set([{ prefix: 'news', allow: { users: ['join'] } }]);
    expect(await eventOf(ann)).toEqual({ type: 'removed', group_id: 'chat:1', reason: 'permission' });
    expect(await eventOf(bob)).toMatchObject({ ...forbidden('join'), group_id: 'chat:1' });
    // Nothing else came, and they are still in these.
    for (const each of [ann, bob])
      expect(await ask(each, { cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    expect(started.gateway.connections().map(({ groups }) => groups)).toEqual([2, 1]);
  });

  test('a hub that comes back with the same namespaces removes no member', async () => {
    set([{ prefix: '', allow: { users: ['join'] } }]);
    const ann = await connect('ann');
    await join(ann, 'chat:1');
    started.hub.restart('epoch-2');
    started.hub.comeBack();
    expect(await eventOf(ann)).toMatchObject({ type: 'gap', group_id: 'chat:1' });
    expect(await ask(ann, { cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  });
});

test('a client without a token may do what its namespace allows, until it allows no more', async () => {
  await started.gateway.close();
  started = await startGateway({ verifyToken: new FakeVerifier().verify, anonymous: 'namespace' });
  set([{ prefix: 'news', allow: { anonymous: ['join', 'history'], users: ['*'] } }]);
  const reader = await TestClient.v1(started.url);
  const forbidden = { type: 'error', code: 'forbidden' };
  const ask = { group_id: 'news', id: 1 };
  expect(await reader.ask({ ...ask, cmd: 'add_group', last: 5 })).toMatchObject({ type: 'ack' });
  expect(await reader.ask({ ...ask, cmd: 'send_to_group', message: 'a' })).toMatchObject(forbidden);
  expect(await reader.ask({ ...ask, cmd: 'add_group', group_id: 'chat' })).toMatchObject(forbidden);
  started.hub.publish('group:news', 'to readers');
  expect(await reader.event()).toMatchObject({ type: 'message', message: 'to readers' });
  set([{ prefix: 'news', allow: { users: ['*'] } }]);
  expect(await reader.event()).toEqual({ type: 'removed', group_id: 'news', reason: 'permission' });
});
