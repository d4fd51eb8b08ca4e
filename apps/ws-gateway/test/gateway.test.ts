import { once } from 'node:events';
import { clientEvent } from '@groupcast/protocol/schema';
import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

beforeEach(async () => {
  started = await startGateway();
});

afterEach(async () => {
  await started.gateway.close();
});

/** Connects in plain mode and joins a group. */
async function plainMember(groupId: string): Promise<TestClient> {
  const member = await TestClient.plain(started.url);
  await member.ask({ cmd: 'add_group', group_id: groupId, id: 0 });
  return member;
}

describe('plain mode', () => {
  test('a client that joins a group and sends to it gets its own text', async () => {
    const client = await TestClient.plain(started.url);
    client.send('{"cmd":"add_group", "group_id":"123"}');
    client.send('{"cmd":"send_to_group", "group_id":"123", "message":"これはメッセージです"}');
    expect(await client.message()).toBe('これはメッセージです');
    expect(client.pending).toEqual([]);
  });

  test('commands with an id get a reply, those without get none', async () => {
    const client = await TestClient.plain(started.url);
    client.send({ cmd: 'add_group', group_id: 'g' });
    client.send({ cmd: 'leave_group', group_id: 'g' });
    client.send({ cmd: 'send_to_group', group_id: 'g', message: 'x' });
    client.send({ cmd: 'ping' });
    expect(await client.ask({ cmd: 'ping', id: 'p' })).toEqual({ type: 'ack', id: 'p' });
    expect(await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 })).toMatchObject({
      type: 'ack',
      id: 1,
    });
    expect(await client.ask({ cmd: 'leave_group', group_id: 'g', id: 2.5 })).toEqual({
      type: 'ack',
      id: 2.5,
      group_id: 'g',
    });
    expect(await client.ask({ cmd: 'send_to_group', group_id: 'g', message: 'x', id: '' })).toMatchObject({
      type: 'ack',
      id: '',
      group_id: 'g',
      epoch: 'epoch-1',
    });
    expect(client.pending).toEqual([]);
  });

  test('a sender need not be a member, and a member that left gets nothing', async () => {
    const sender = await TestClient.plain(started.url);
    const member = await plainMember('g');
    const gone = await plainMember('g');
    await gone.ask({ cmd: 'leave_group', group_id: 'g', id: 1 });
    sender.send({ cmd: 'send_to_group', group_id: 'g', message: 'hi' });
    expect(await member.message()).toBe('hi');
    await gone.ask({ cmd: 'ping', id: 2 });
    expect([sender.pending, gone.pending]).toEqual([[], []]);
  });

  test('123 and "123" are one group, "0123" is another', async () => {
    const member = await TestClient.plain(started.url);
    await member.ask({ cmd: 'add_group', group_id: 123, id: 1 });
    const sender = await TestClient.plain(started.url);
    sender.send({ cmd: 'send_to_group', group_id: '0123', message: 'no' });
    sender.send({ cmd: 'send_to_group', group_id: '123', message: 'text' });
    sender.send({ cmd: 'send_to_group', group_id: 123, message: 'number' });
    expect(await member.messages(2)).toEqual(['text', 'number']);
  });

  test('any path is upgraded', async () => {
    const client = await TestClient.plain(`${started.url}/any/path?with=query`);
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  });

  test('an unknown subprotocol is not echoed', async () => {
    const client = new WebSocket(started.url, ['secret-token']);
    const [error] = await once(client, 'error');
    expect(error.message).toBe('Server sent no subprotocol');
  });
});

describe('groupcast.v1', () => {
  test('is chosen among offered subprotocols, and begins with a welcome', async () => {
    const client = new TestClient(started.url, ['other', 'groupcast.v1']);
    const welcome = await client.event();
    expect(client.ws.protocol).toBe('groupcast.v1');
    expect(clientEvent.parse(welcome)).toEqual(welcome);
    expect(welcome).toEqual({
      type: 'welcome',
      client_id: expect.stringMatching(/^[\w-]{22}$/),
      session: expect.stringMatching(/^[\w-]{43}$/),
      heartbeat: { interval_ms: 25_000, timeout_ms: 10_000 },
      limits: {
        message_bytes: 65_536,
        groups: 128,
        messages_per_second: 1_000,
        messages_burst: 2_000,
        bytes_per_second: 1_048_576,
        bytes_burst: 8_388_608,
      },
    });
    const other = await TestClient.v1(started.url);
    expect(other.clientId).not.toBe(welcome['client_id']);
  });

  test('members get events with offset and sender, beside plain members that get the text', async () => {
    const [plain, v1] = [await plainMember('g'), await TestClient.v1(started.url)];
    expect(await v1.ask({ cmd: 'add_group', group_id: 'g', id: 1 })).toEqual({
      type: 'ack',
      id: 1,
      group_id: 'g',
      epoch: 'epoch-1',
      offset: 0,
    });
    v1.send({ cmd: 'send_to_group', group_id: 'g', message: 'hi', message_id: 'm1', id: 2 });
    const both = [await v1.event(), await v1.event()];
    expect(both).toContainEqual({ type: 'ack', id: 2, group_id: 'g', epoch: 'epoch-1', offset: 1 });
    expect(both).toContainEqual({
      type: 'message',
      group_id: 'g',
      offset: 1,
      message: 'hi',
      from: { client_id: v1.clientId },
    });
    expect(await plain.message()).toBe('hi');
    started.hub.publish('group:g', '{"n":[1]}', { kind: 'json' });
    expect(await v1.event()).toEqual({ type: 'message', group_id: 'g', offset: 2, message: { n: [1] } });
    expect(await plain.message()).toBe('{"n":[1]}');
  });

  test('exclude_self keeps a message from its sender only', async () => {
    const [sender, other] = [await TestClient.v1(started.url), await TestClient.v1(started.url)];
    for (const client of [sender, other]) await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    sender.send({ cmd: 'send_to_group', group_id: 'g', message: 'not me', exclude_self: true });
    sender.send({ cmd: 'send_to_group', group_id: 'g', message: 'me too' });
    expect(await sender.event()).toMatchObject({ message: 'me too', offset: 2 });
    expect([await other.event(), await other.event()]).toMatchObject([
      { message: 'not me' },
      { message: 'me too' },
    ]);
  });

  test('a message of the maximum size is delivered back whole', async () => {
    const client = await TestClient.v1(started.url);
    await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    const command = { cmd: 'send_to_group', group_id: 'g', message: '' };
    const message = '"'.repeat((65_536 - JSON.stringify(command).length) / 2);
    client.send({ ...command, message });
    expect(await client.event()).toMatchObject({ type: 'message', message });
  });
});

describe('the hub', () => {
  test('that is unavailable causes errors for commands with an id, and closes no connection', async () => {
    const client = await TestClient.v1(started.url);
    await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    started.hub.away = true;
    expect(await client.ask({ cmd: 'send_to_group', group_id: 'g', message: 'x', id: 2 })).toMatchObject({
      type: 'error',
      id: 2,
      code: 'hub_unavailable',
    });
    for (let count = 0; count < 20; count++) {
      await client.ask({ cmd: 'send_to_group', group_id: 'g', message: 'x', id: 3 });
    }
    started.hub.publishUnheard('group:g', 3);
    started.hub.trim('group:g');
    started.hub.comeBack();
    expect(await client.event()).toEqual({
      type: 'gap',
      group_id: 'g',
      reason: 'trimmed',
      epoch: 'epoch-1',
      offset: 3,
    });
    client.send({ cmd: 'send_to_group', group_id: 'g', message: 'back' });
    expect(await client.event()).toMatchObject({ type: 'message', message: 'back', offset: 4 });
  });

  test('gets one subscription for a group with several members', async () => {
    const members = await Promise.all(Array.from({ length: 20 }, () => plainMember('g')));
    started.hub.publish('group:g', 'hi');
    expect(await Promise.all(members.map((member) => member.message()))).toEqual(members.map(() => 'hi'));
    expect(started.hub.calls).toEqual([{ name: 'subscribe', channel: 'group:g' }]);
  });
});

describe('statistics', () => {
  test('a burst in one turn is one write for each member', async () => {
    const members = await Promise.all(Array.from({ length: 5 }, () => plainMember('g')));
    const before = started.gateway.stats();
    const texts = Array.from({ length: 100 }, (_, index) => `${index}`);
    for (const text of texts) started.hub.publish('group:g', text);
    for (const member of members) expect(await member.messages(100)).toEqual(texts);
    const after = started.gateway.stats();
    expect(after.deliveryWrites - before.deliveryWrites).toBe(5);
    expect(after.delivered - before.delivered).toBe(500);
    expect(after.bytesOut - before.bytesOut).toBe(5 * (10 * 3 + 90 * 4));
  });

  test('connections are listed with their groups and buffers', async () => {
    const member = await plainMember('g');
    await member.ask({ cmd: 'add_group', group_id: 'h', id: 1 });
    const v1 = await TestClient.v1(started.url);
    started.advance(3);
    expect(started.gateway.connections()).toEqual([
      {
        clientId: expect.stringMatching(/^[\w-]{22}$/),
        protocol: 'plain',
        state: 'open',
        address: '127.0.0.1',
        groups: 2,
        bufferedBytes: 0,
        ageTicks: 3,
      },
      expect.objectContaining({ clientId: v1.clientId, protocol: 'v1', groups: 0 }),
    ]);
  });

  test('after all clients have closed, in any way, no state is left', async () => {
    const { gateway, hub, wheel } = started;
    for (let round = 0; round < 5; round++) {
      const clients = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          index % 2 === 0 ? TestClient.plain(started.url) : TestClient.v1(started.url),
        ),
      );
      for (const [index, client] of clients.entries()) {
        for (let group = 0; group < 10; group++)
          client.send({ cmd: 'add_group', group_id: `${round} ${group % index}` });
        client.send({ cmd: 'leave_group', group_id: `${round} 0` });
        client.send({ cmd: 'send_to_group', group_id: `${round} 1`, message: 'x' });
        await client.ask({ cmd: 'ping', id: 'done' });
      }
      for (const [index, client] of clients.entries()) {
        if (index % 3 === 0) client.ws.terminate();
        else client.ws.close(3_000 + index);
      }
      await Promise.all(clients.map((client) => client.ended));
    }
    await untilTurn(() => gateway.stats().connections === 0);
    started.advance(3);
    const stats = gateway.stats();
    expect([stats.connections, stats.groups, stats.bufferedBytes]).toEqual([0, 0, 0]);
    expect([hub.channels, wheel.waiting, gateway.connections()]).toEqual([0, 0, []]);
    expect(stats.joins).toBe(stats.leaves);
    expect(stats.accepted).toBe(100);
    expect(stats.closed.by_client + stats.closed.lost).toBe(100);
  });
});
