import { clientEvent } from '@groupcast/protocol/schema';
import { clientFrame, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

beforeEach(async () => {
  started = await startGateway();
});

afterEach(async () => {
  await started.gateway.close();
});

function publish(from: number, to: number): void {
  for (let offset = from; offset <= to; offset++) started.hub.publish('group:g', `${offset}`);
}

function since(offset: number, epoch = 'epoch-1') {
  return { epoch, offset };
}

async function offsets(client: TestClient, count: number): Promise<unknown[]> {
  const events = (await client.messages(count)).map((message) => JSON.parse(message));
  for (const event of events) expect(event.message).toBe(`${event.offset}`);
  return events.map(({ offset }) => offset);
}

describe('recovery', () => {
  test('a client that disconnects twice gets every message once, over three connections', async () => {
    const got: unknown[] = [];
    let published = 0;
    for (let connection = 0; connection < 3; connection++) {
      const client = await TestClient.v1(started.url);
      const ack = await client.ask({ cmd: 'add_group', group_id: 'g', since: since(got.length), id: 1 });
      expect(clientEvent.parse(ack)).toEqual(ack);
      expect(ack).toEqual({ type: 'ack', id: 1, group_id: 'g', ...since(published), recovered: true });
      publish(published + 1, published + 30);
      got.push(...(await offsets(client, published + 30 - got.length)));
      client.ws.terminate();
      await client.ended;
      published += 50;
      publish(published - 19, published);
    }
    expect(got).toEqual(Array.from({ length: 130 }, (_, index) => index + 1));
    const { recoveries, recoveredMessages } = started.gateway.stats();
    expect(recoveries.recovered).toBe(3);
    // Messages from the time without a connection, and new ones until the recovery ended.
    expect(recoveredMessages).toBeGreaterThanOrEqual(40);
  });

  test.each([
    ['epoch_changed', since(5, 'another')],
    ['trimmed', since(5)],
  ])('an ack without recovery has the reason: %s', async (reason, position) => {
    publish(1, 10);
    started.hub.trim('group:g');
    const client = await TestClient.v1(started.url);
    const ack = await client.ask({ cmd: 'add_group', group_id: 'g', since: position, id: 1 });
    expect(clientEvent.parse(ack)).toEqual(ack);
    expect(ack).toEqual({ type: 'ack', id: 1, group_id: 'g', ...since(10), recovered: false, reason });
    publish(11, 11);
    expect(await offsets(client, 1)).toEqual([11]);
  });

  test('an invalid since is rejected, and the client is not in the group', async () => {
    const client = await TestClient.v1(started.url);
    for (const bad of [null, {}, 5, { epoch: 'e' }, { epoch: '', offset: 1 }, { epoch: 'e', offset: -1 }]) {
      const command = { cmd: 'add_group', group_id: 'g', since: bad, id: 1 };
      expect(await client.ask(command)).toMatchObject({ type: 'error', id: 1, code: 'bad_field' });
    }
    expect(started.gateway.connections()).toMatchObject([{ groups: 0 }]);
  });

  test('a client that never reads delays no other client, and costs at most its buffer', async () => {
    const text = 'x'.repeat(64 * 1024);
    for (let count = 0; count < 500; count++) started.hub.publish('group:g', text);
    started.hub.pageMax = 1;
    const slow = await RawClient.upgraded(started.port, ['Sec-WebSocket-Protocol: groupcast.v1']);
    slow.socket.pause();
    const position = JSON.stringify(since(0));
    slow.write(clientFrame(0x81, `{"cmd":"add_group","group_id":"g","since":${position}}`));
    const { gateway } = started;
    await untilTurn(() => gateway.stats().bufferedBytes > 0);
    let last = -1;
    // It gets no more pages, although there are more.
    await untilTurn(() => {
      const { recoveredMessages } = gateway.stats();
      const stands = recoveredMessages === last && started.hub.reads.length === 0;
      last = recoveredMessages;
      return stands;
    });
    for (let second = 0; second < 3; second++) started.advance(1);
    expect(gateway.stats().recovering).toBe(1);
    expect(gateway.stats().recoveredMessages).toBeLessThan(500);
    expect(gateway.stats().bufferedBytes).toBeLessThan(3 * 64 * 1024);
    // Another client in the same group that reads gets all.
    const fast = await TestClient.v1(started.url);
    await fast.ask({ cmd: 'add_group', group_id: 'g', since: since(400), id: 1 });
    expect((await fast.messages(100)).length).toBe(100);
    // It reads again, and gets the rest, page by page.
    slow.socket.resume();
    await untilTurn(() => {
      started.advance(1);
      slow.write(clientFrame(0x81, '{"cmd":"ping"}'));
      return gateway.stats().recovering === 0;
    });
    await untilTurn(() => slow.frames.length >= 501);
    const frames = slow.frames.map(({ payload }) => JSON.parse(String(payload)));
    const given = frames.filter(({ type }) => type === 'message').map(({ offset }) => offset);
    expect(given).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    slow.socket.destroy();
  });
});

describe('the client id', () => {
  test('is the same with the session, and another one without', async () => {
    const first = await TestClient.v1(started.url);
    const second = await TestClient.v1(started.url, first.session);
    const stranger = await TestClient.v1(started.url, first.session.slice(1));
    expect([second.clientId, second.session]).toEqual([first.clientId, first.session]);
    expect(stranger.clientId).not.toBe(first.clientId);
    expect(stranger.session).not.toBe(first.session);
    expect(stranger.session).toMatch(/^[\w-]{43}$/);
  });

  test.each([true, false])(
    'is one that the gateway has made, where it has a secret (fast paths: %s)',
    async (fastPaths) => {
      started = await startGateway({ sessionSecret: 'correct horse battery staple', fastPaths });
      const other = await startGateway({ sessionSecret: 'correct horse battery staple', fastPaths });
      const first = await TestClient.v1(started.url);
      expect(first.session).toMatch(/^[\w-]{64}$/);
      const again = await TestClient.v1(other.url, first.session);
      expect([again.clientId, again.session]).toEqual([first.clientId, first.session]);
      for (const chosen of [
        'A'.repeat(43),
        'A'.repeat(64),
        `${first.session.slice(0, -1)}${first.session.endsWith('A') ? 'B' : 'A'}`,
      ]) {
        const stranger = await TestClient.v1(started.url, chosen);
        expect(stranger.session).not.toBe(chosen);
        expect(stranger.clientId).not.toBe(first.clientId);
      }
      await other.gateway.close();
    },
  );

  test('does not reveal the session, which only its client gets', async () => {
    const [sender, member] = [await TestClient.v1(started.url), await TestClient.v1(started.url)];
    await member.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    sender.send({ cmd: 'send_to_group', group_id: 'g', message: '1' });
    expect(await member.message()).not.toContain(sender.session);
    expect(JSON.stringify(started.gateway.connections())).not.toContain(sender.session);
    expect(sender.clientId).not.toContain(sender.session.slice(0, 22));
  });

  test('the session is not echoed, and is ignored without groupcast.v1', async () => {
    const { session } = await TestClient.v1(started.url);
    const header = `Sec-WebSocket-Protocol: groupcast.session.${session}, groupcast.v1`;
    const v1 = await RawClient.upgraded(started.port, [header]);
    expect(v1.http).toMatch(/^sec-websocket-protocol: groupcast\.v1$/im);
    expect(v1.http).not.toContain(session);
    v1.socket.destroy();
    const plain = await RawClient.upgraded(started.port, [
      `Sec-WebSocket-Protocol: groupcast.session.${session}`,
    ]);
    expect(plain.http).not.toContain(session);
    await untilTurn(() => started.gateway.connections().some(({ protocol }) => protocol === 'plain'));
    plain.socket.destroy();
  });

  test('keeps messages with exclude_self from the sender, also in a recovery on another connection', async () => {
    const sender = await TestClient.v1(started.url);
    await sender.ask({ cmd: 'send_to_group', group_id: 'g', message: '1', exclude_self: true, id: 1 });
    publish(2, 2);
    sender.ws.terminate();
    const back = await TestClient.v1(started.url, sender.session);
    await back.ask({ cmd: 'add_group', group_id: 'g', since: since(0), id: 1 });
    expect(await offsets(back, 1)).toEqual([2]);
    const other = await TestClient.v1(started.url);
    await other.ask({ cmd: 'add_group', group_id: 'g', since: since(0), id: 1 });
    expect(await offsets(other, 2)).toEqual([1, 2]);
  });
});

describe('group_info', () => {
  test('returns the position of a group, subscribed here or not, without joining', async () => {
    publish(1, 3);
    const client = await TestClient.v1(started.url);
    const ack = { type: 'ack', id: 1, group_id: 'g', ...since(3) };
    expect(await client.ask({ cmd: 'group_info', group_id: 'g', id: 1 })).toEqual(ack);
    expect(started.hub.calls).toEqual([{ name: 'history', channel: 'group:g' }]);
    expect(started.gateway.stats()).toMatchObject({ groups: 0, joins: 0 });
    const member = await TestClient.v1(started.url);
    await member.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    expect(await client.ask({ cmd: 'group_info', group_id: 'g', id: 1 })).toEqual(ack);
    expect(started.hub.calls.filter(({ name }) => name === 'history').length).toBe(1);
  });

  test('that the hub does not answer is an error, and so are those that wait behind it', async () => {
    started.hub.away = true;
    const client = await TestClient.v1(started.url);
    for (let id = 0; id < 300; id++) client.send({ cmd: 'group_info', group_id: `${id}`, id });
    client.send({ cmd: 'group_info', group_id: 'g' });
    // Another command shows that all have arrived. A join waits for the hub beside them.
    await client.ask({ cmd: 'ping', id: 'all' });
    expect(started.hub.reads.length).toBe(16);
    started.hub.failReads();
    const ids = new Set<unknown>();
    for (let count = 0; count < 300; count++) {
      const event = await client.event();
      expect(event).toMatchObject({ type: 'error', code: 'hub_unavailable' });
      ids.add(event['id']);
    }
    expect(ids.size).toBe(300);
    started.hub.away = false;
    expect(await client.ask({ cmd: 'group_info', group_id: 'g', id: 'again' })).toMatchObject({
      type: 'ack',
      id: 'again',
      offset: 0,
    });
  });

  test('is not rejected for its number, and does not count for joins', async () => {
    started.hub.byHand = true;
    const client = await TestClient.v1(started.url);
    for (let id = 0; id < 1_500; id++) client.send({ cmd: 'group_info', group_id: `${id}`, id });
    client.send({ cmd: 'add_group', group_id: 'g', id: 'join' });
    await untilTurn(() => started.hub.calls.some(({ name }) => name === 'subscribe'));
    started.hub.catchUp('group:g', 0);
    expect(await client.event()).toMatchObject({ type: 'ack', id: 'join' });
    for (let id = 0; id < 1_500; id++) {
      started.hub.answerReads(1);
      expect(await client.event()).toMatchObject({ type: 'ack', id, group_id: `${id}` });
    }
    expect(started.hub.reads).toEqual([]);
  });

  test('that waits is limited for all connections together, too, until one of them closes', async () => {
    await started.gateway.close();
    started = await startGateway({ positionRequestsMax: 10 });
    started.hub.byHand = true;
    const [one, other] = [await TestClient.v1(started.url), await TestClient.v1(started.url)];
    // 16 are sent to the hub, ten wait.
    for (let id = 0; id <= 26; id++) one.send({ cmd: 'group_info', group_id: `${id}`, id });
    const rejected = { type: 'error', code: 'hub_unavailable', message: expect.stringContaining('Too many') };
    expect(await one.event()).toMatchObject({ ...rejected, id: 26 });
    expect(await other.ask({ cmd: 'group_info', group_id: 'g', id: 1 })).toMatchObject({
      ...rejected,
      id: 1,
    });
    one.ws.terminate();
    await untilTurn(() => started.gateway.stats().connections === 1);
    other.send({ cmd: 'group_info', group_id: 'g', id: 2 });
    await untilTurn(() => started.hub.reads.length === 1);
    started.hub.answerReads();
    expect(await other.event()).toMatchObject({ type: 'ack', id: 2 });
  });

  test('that waits does not count for joins, and joins beyond their limit get an error', async () => {
    started.hub.byHand = true;
    const client = await TestClient.v1(started.url);
    client.send({ cmd: 'group_info', group_id: 'g', id: 'ask' });
    for (let id = 0; id <= 128; id++) client.send({ cmd: 'add_group', group_id: 'g', id });
    const message = expect.stringContaining('Too many joins');
    expect(await client.event()).toMatchObject({ type: 'error', id: 128, code: 'hub_unavailable', message });
    started.hub.catchUp('group:g', 0);
    for (let id = 0; id < 128; id++) expect(await client.event()).toMatchObject({ type: 'ack', id });
  });

  test('that waits is limited, and canceled with its connection', async () => {
    await started.gateway.close();
    started = await startGateway({ messagesBurst: 100, messagesPerSecond: 1_000_000 });
    started.hub.byHand = true;
    const client = await TestClient.v1(started.url);
    for (let id = 0; id <= 100; id++) {
      client.send({ cmd: 'group_info', group_id: `${id}`, id });
      if (id % 50 === 49) await client.ask({ cmd: 'ping', id: 'ping' });
    }
    expect(await client.event()).toMatchObject({ type: 'error', id: 100, code: 'hub_unavailable' });
    client.ws.terminate();
    await untilTurn(() => started.gateway.stats().connections === 0);
    expect(started.hub.reads).toEqual([]);
  });
});

test('the ack of a publish follows the earlier messages of its group', async () => {
  const client = await TestClient.v1(started.url);
  await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
  client.send({ cmd: 'send_to_group', group_id: 'g', message: '3', id: 2 });
  await untilTurn(() => started.hub.calls.some(({ name }) => name === 'publish'));
  // In one turn: these two, then the client's own, then its ack.
  publish(1, 2);
  expect(await offsets(client, 3)).toEqual([1, 2, 3]);
  expect(await client.event()).toEqual({ type: 'ack', id: 2, group_id: 'g', ...since(3) });
});
