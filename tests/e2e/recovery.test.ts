import {
  type JsonObject,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
} from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SHORT_HISTORY = 20;

let hub: TestHub;
let gateways: TestGateway[];

beforeAll(async () => {
  hub = await startHub({ historyCount: SHORT_HISTORY });
  gateways = [
    await startGateway({ hub: hub.address, workers: 1 }),
    await startGateway({ hub: hub.address, workers: 1 }),
  ];
});
afterAll(killAll);

interface Position {
  readonly epoch: unknown;
  readonly offset: number;
}

interface Greeting {
  readonly client: TestClient;
  readonly clientId: unknown;
  readonly session: unknown;
}

async function connect(host: number, session?: unknown): Promise<Greeting> {
  const protocol = ['groupcast.v1', ...(session === undefined ? [] : [`groupcast.session.${session}`])];
  const client = await TestClient.open(gateways[host]?.url ?? '', { protocol });
  const welcome = await event(client, 'welcome');
  return { client, clientId: welcome['client_id'], session: welcome['session'] };
}

/** Takes the next event of a type. */
async function event(client: TestClient, type: string): Promise<JsonObject> {
  return (await client.nextMatching(({ json }) => json?.['type'] === type)).json ?? {};
}

function positionOf(ack: JsonObject): Position {
  return { epoch: ack['epoch'], offset: Number(ack['offset']) };
}

/** Joins, and answers with the ack. */
async function join(client: TestClient, group: string, since?: Position) {
  client.sendCommand({ cmd: 'add_group', group_id: group, id: 'join', ...(since && { since }) });
  return client.reply('join');
}

async function publish(client: TestClient, group: string, text: string, more: object = {}) {
  client.sendCommand({ cmd: 'send_to_group', group_id: group, message: text, id: text, ...more });
  return client.reply(text);
}

test('a client that comes back to another host has its client id, and gets exactly what it missed, then what is live', async () => {
  const publisher = await connect(0);
  const away = await connect(0);
  const start = positionOf(await join(away.client, 'missed'));
  for (const text of ['1', '2']) await publish(publisher.client, 'missed', text);
  expect(await event(away.client, 'message')).toMatchObject({ message: '1', offset: start.offset + 1 });
  expect(await event(away.client, 'message')).toMatchObject({ message: '2', offset: start.offset + 2 });
  await away.client.close();
  for (const text of ['3', '4', '5']) await publish(publisher.client, 'missed', text);

  const back = await connect(1, away.session);
  expect(back.clientId).toBe(away.clientId);
  expect(back.session).toBe(away.session);
  const ack = await join(back.client, 'missed', { epoch: start.epoch, offset: start.offset + 2 });
  expect(ack).toMatchObject({ epoch: start.epoch, offset: start.offset + 5, recovered: true });
  await publish(publisher.client, 'missed', '6');
  for (const [index, text] of ['3', '4', '5', '6'].entries()) {
    const expected = { group_id: 'missed', offset: start.offset + 3 + index, message: text };
    expect(await event(back.client, 'message')).toMatchObject(expected);
  }
});

test('a client that missed more than the history holds receives the reason, no old messages, and then live ones', async () => {
  const publisher = await connect(0);
  const start = positionOf(await join(publisher.client, 'trimmed'));
  for (let count = 1; count <= SHORT_HISTORY + 1; count++)
    await publish(publisher.client, 'trimmed', `${count}`);
  const back = await connect(1);
  expect(await join(back.client, 'trimmed', start)).toMatchObject({
    epoch: start.epoch,
    offset: start.offset + SHORT_HISTORY + 1,
    recovered: false,
    reason: 'trimmed',
  });
  await publish(publisher.client, 'trimmed', 'live');
  expect(await event(back.client, 'message')).toMatchObject({ message: 'live' });

  const inTime = await connect(1);
  const ack = await join(inTime.client, 'trimmed', { epoch: start.epoch, offset: start.offset + 2 });
  expect(ack).toMatchObject({ recovered: true });
  expect(await event(inTime.client, 'message')).toMatchObject({ message: '3' });
});

test('a position of another history is refused as such', async () => {
  const { client } = await connect(0);
  expect(await join(client, 'other', { epoch: 'of-another-hub', offset: 1 })).toMatchObject({
    recovered: false,
    reason: 'epoch_changed',
  });
});

test('a publish that is repeated under its message id gets the same answer and is delivered once, on any host', async () => {
  const member = await connect(0);
  await join(member.client, 'once');
  const first = await connect(0);
  const answer = await publish(first.client, 'once', 'only', { message_id: 'm1' });
  const again = await connect(1, first.session);
  expect(positionOf(await publish(again.client, 'once', 'only', { message_id: 'm1' }))).toEqual(
    positionOf(answer),
  );
  const stranger = await connect(1);
  await publish(stranger.client, 'once', 'of a stranger', { message_id: 'm1' });
  expect(await event(member.client, 'message')).toMatchObject({ message: 'only' });
  expect(await event(member.client, 'message')).toMatchObject({ message: 'of a stranger' });
});

test('recovery keeps from a sender what it sent with exclude_self before it was away', async () => {
  const sender = await connect(0);
  const start = positionOf(await join(sender.client, 'not-me'));
  await publish(sender.client, 'not-me', 'mine', { exclude_self: true });
  const other = await connect(0);
  await publish(other.client, 'not-me', 'yours');
  await sender.client.close();
  const back = await connect(1, sender.session);
  expect(await join(back.client, 'not-me', start)).toMatchObject({ recovered: true });
  expect(await event(back.client, 'message')).toMatchObject({ message: 'yours' });
});

test('group_info returns the position of a group, and joins nothing', async () => {
  const { client } = await connect(0);
  await publish(client, 'info', 'before');
  client.sendCommand({ cmd: 'group_info', group_id: 'info', id: 'where' });
  const position = positionOf(await client.reply('where'));
  await publish(client, 'info', 'after');
  const reader = await connect(1);
  expect(await join(reader.client, 'info', position)).toMatchObject({ recovered: true });
  expect(await event(reader.client, 'message')).toMatchObject({
    message: 'after',
    offset: position.offset + 1,
  });
});
