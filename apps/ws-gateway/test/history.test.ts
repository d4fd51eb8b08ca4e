import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

beforeEach(async () => {
  started = await startGateway();
  started.hub.now = () => TIME_MS;
});

afterEach(async () => {
  await started.gateway.close();
});

const TIME_MS = 1_790_000_000_000;
const GROUP = { type: 'ack', group_id: 'g', epoch: 'epoch-1' };

function publish(count: number): void {
  for (let index = 1; index <= count; index++) started.hub.publish('group:g', `m${index}`);
}

function at(offset: number, epoch = 'epoch-1'): object {
  return { epoch, offset };
}

/** Messages from one offset to another, as a `history` has them. */
function messages(first: number, last: number): object[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    offset: first + index,
    message: `m${first + index}`,
  }));
}

describe('add_group with last', () => {
  test('replays the newest messages in order, then live ones follow', async () => {
    publish(25);
    const client = await TestClient.v1(started.url);
    const ack = { ...GROUP, id: 1, offset: 25, count: 12 };
    expect(await client.ask({ cmd: 'add_group', group_id: 'g', last: 12, id: 1 })).toEqual(ack);
    started.hub.publish('group:g', 'live');
    const events = [];
    for (let index = 0; index < 13; index++) events.push(await client.event());
    expect(events.map(({ message }) => message)).toEqual([
      ...messages(14, 25).map((one) => (one as { message: string }).message),
      'live',
    ]);
    expect(events.map(({ offset }) => offset)).toEqual([14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26]);
  });

  test('works in plain mode', async () => {
    publish(3);
    const client = await TestClient.plain(started.url);
    const ack = { ...GROUP, id: 1, offset: 3, count: 2 };
    expect(await client.ask({ cmd: 'add_group', group_id: 'g', last: 2, id: 1 })).toEqual(ack);
    expect(await client.messages(2)).toEqual(['m2', 'm3']);
  });

  test('counts what there is, from none on', async () => {
    const client = await TestClient.v1(started.url);
    const empty = { ...GROUP, id: 1, offset: 0, count: 0 };
    expect(await client.ask({ cmd: 'add_group', group_id: 'g', last: 5, id: 1 })).toEqual(empty);
    started.hub.publish('group:other', 'only');
    const one = { ...GROUP, id: 2, group_id: 'other', offset: 1, count: 1 };
    expect(await client.ask({ cmd: 'add_group', group_id: 'other', last: 5, id: 2 })).toEqual(one);
    expect(await client.event()).toMatchObject({ offset: 1, message: 'only' });
  });

  test('of a group that the client is in brings nothing, and the ack has no count', async () => {
    publish(3);
    const client = await TestClient.v1(started.url);
    await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    const again = { ...GROUP, id: 2, offset: 3 };
    expect(await client.ask({ cmd: 'add_group', group_id: 'g', last: 3, id: 2 })).toEqual(again);
    expect(await client.ask({ cmd: 'ping', id: 3 })).toEqual({ type: 'ack', id: 3 });
  });
});

describe.each(['plain', 'v1'] as const)('history in %s mode', (mode) => {
  let client: TestClient;

  beforeEach(async () => {
    client = await TestClient[mode](started.url);
  });

  test('has the messages after a position, page by page', async () => {
    publish(25);
    const ask = (offset: number, limit: number): Promise<object> =>
      client.ask({ cmd: 'history', group_id: 'g', since: at(offset), limit, id: 1 });
    const ack = { ...GROUP, id: 1, offset: 25, verdict: 'recovered' };
    expect(await ask(2, 3)).toEqual({ ...ack, read_offset: 5, messages: messages(3, 5) });
    // The page of the hub ends earlier than the limit.
    expect(await ask(5, 1_000)).toEqual({ ...ack, read_offset: 15, messages: messages(6, 15) });
    expect(await ask(15, 1_000)).toEqual({ ...ack, read_offset: 25, messages: messages(16, 25) });
    expect(await ask(25, 1_000)).toEqual({ ...ack, read_offset: 25, messages: [] });
  });

  test('has the newest messages, of a group without members', async () => {
    publish(5);
    expect(await client.ask({ cmd: 'history', group_id: 'g', last: 2, id: 'h' })).toEqual({
      ...GROUP,
      id: 'h',
      offset: 5,
      verdict: 'recovered',
      read_offset: 5,
      messages: messages(4, 5),
    });
    expect(started.gateway.stats().groups).toBe(0);
  });

  test('tells why it has none', async () => {
    publish(3);
    started.hub.trim('group:g');
    const ask = (since: object): Promise<object> =>
      client.ask({ cmd: 'history', group_id: 'g', since, id: 1 });
    const ack = { ...GROUP, id: 1, offset: 3, messages: [] };
    expect(await ask(at(1))).toEqual({ ...ack, verdict: 'trimmed' });
    expect(await ask(at(1, 'other'))).toEqual({ ...ack, verdict: 'epoch_changed' });
  });

  test('has JSON as it is written, and no payloads that are invalid', async () => {
    started.hub.publish('group:g', '{"n":1.0}', { kind: 'json' });
    started.hub.publish('group:g', '{"n":', { kind: 'json' });
    started.hub.publish('group:g', Uint8Array.of(0xff));
    client.send({ cmd: 'history', group_id: 'g', last: 9, id: 1 });
    expect(await client.message()).toBe(
      '{"type":"ack","id":1,"group_id":"g","epoch":"epoch-1","offset":3,"verdict":"recovered","read_offset":3,"messages":[{"offset":1,"message":{"n":1.0}}]}',
    );
  });

  test('is rejected beyond the recovery rate, which is no reason to close', async () => {
    await client.close();
    await started.gateway.close();
    started = await startGateway({ recoveryBytesPerSecond: 1, recoveryBytesBurst: 4 * 64 * 1_024 - 1 });
    client = await TestClient[mode](started.url);
    for (let id = 1; id <= 20; id++) {
      const expected = id <= 3 ? { type: 'ack' } : { type: 'error', code: 'rate_limited' };
      expect(await client.ask({ cmd: 'history', group_id: 'g', last: 1, id })).toMatchObject(expected);
    }
  });

  test('fails when the hub does, and then costs nothing', async () => {
    await client.close();
    await started.gateway.close();
    started = await startGateway({ recoveryBytesPerSecond: 1, recoveryBytesBurst: 64 * 1_024 });
    client = await TestClient[mode](started.url);
    started.hub.byHand = true;
    client.send({ cmd: 'history', group_id: 'g', last: 1, id: 1 });
    await untilTurn(() => started.hub.reads.length === 1);
    started.hub.failReads();
    expect(await client.event()).toMatchObject({ type: 'error', id: 1, code: 'hub_unavailable' });
    started.hub.byHand = false;
    expect(await client.ask({ cmd: 'history', group_id: 'g', last: 1, id: 2 })).toMatchObject({ id: 2 });
  });

  test('ends with its client', async () => {
    started.hub.byHand = true;
    client.send({ cmd: 'history', group_id: 'g', last: 1, id: 1 });
    await untilTurn(() => started.hub.reads.length === 1);
    await client.close();
    await untilTurn(() => started.hub.reads.length === 0);
  });
});

describe('history in groupcast.v1', () => {
  test('names senders, and omits own messages with exclude_self', async () => {
    const client = await TestClient.v1(started.url);
    const send = { cmd: 'send_to_group', group_id: 'g', message: 'own' };
    await client.ask({ ...send, id: 1 });
    await client.ask({ ...send, exclude_self: true, id: 2 });
    const history = await client.ask({ cmd: 'history', group_id: 'g', last: 9, id: 3 });
    const from = { client_id: client.clientId };
    expect(history).toMatchObject({ read_offset: 2, messages: [{ offset: 1, message: 'own', from }] });
  });

  test('comes after the messages up to its position', async () => {
    const client = await TestClient.v1(started.url);
    await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
    started.hub.byHand = true;
    client.send({ cmd: 'history', group_id: 'g', last: 1, id: 2 });
    await untilTurn(() => started.hub.reads.length === 1);
    publish(1);
    started.hub.answerReads();
    expect(await client.event()).toMatchObject({ type: 'message', offset: 1 });
    expect(await client.event()).toMatchObject({ type: 'ack', offset: 1 });
  });
});

test('messages and history have their time in groupcast.v1.at only', async () => {
  const client = new TestClient(started.url, ['groupcast.v1.at', 'groupcast.v1']);
  expect(await client.event()).toMatchObject({ type: 'welcome' });
  expect(client.ws.protocol).toBe('groupcast.v1.at');
  publish(1);
  expect(await client.ask({ cmd: 'history', group_id: 'g', last: 1, id: 1 })).toMatchObject({
    messages: [{ offset: 1, message: 'm1', at: TIME_MS }],
  });
  expect(await client.ask({ cmd: 'add_group', group_id: 'g', last: 1, id: 2 })).toMatchObject({ count: 1 });
  const message = { type: 'message', group_id: 'g', offset: 1, message: 'm1', at: TIME_MS };
  expect(await client.event()).toEqual(message);
});
