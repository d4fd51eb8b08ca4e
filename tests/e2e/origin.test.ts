import {
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
} from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { statsOfAll } from './stats-of-all.ts';
import { BRIEF_HISTORY, untilEmpty } from './until-empty.ts';

const TEXT = 'これはメッセージです';

function textsOf(client: TestClient): readonly string[] {
  return client.messages.all.map(({ text }) => text);
}

/** Joins and waits until the hub knows: what anybody sends from now on comes. */
async function join(client: TestClient, groupId: string | number): Promise<void> {
  client.sendCommand({ cmd: 'add_group', group_id: groupId, id: `join ${groupId}` });
  expect(await client.reply(`join ${groupId}`)).toMatchObject({ type: 'ack' });
}

let hub: TestHub;

beforeAll(async () => {
  hub = await startHub(BRIEF_HISTORY);
});
afterAll(killAll);

describe.each([1, 8])('the exchange of the origin, with %i workers', (workers) => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startGateway({ hub: hub.address, workers, drainSeconds: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
  });

  test('shows the sender its own message, raw, and nothing else', async () => {
    const client = await TestClient.open(gateway.url);
    client.sendText('{"cmd":"add_group", "group_id":"123"}');
    client.sendText(`{"cmd":"send_to_group", "group_id":"123", "message":"${TEXT}"}`);
    await client.next();
    // Whatever else it were sent would come before the answer to its last command.
    client.sendCommand({ cmd: 'ping', id: 'last' });
    await client.reply('last');
    await client.close();
    expect(textsOf(client)).toEqual([TEXT, '{"type":"ack","id":"last"}']);
  });

  test('reaches every member on every worker, from a sender outside the group', async () => {
    const members: TestClient[] = [];
    // Workers take connections by themselves, and need not take them in turns.
    for (let idle = workers; idle > 0; idle = await idleWorkers(gateway, workers)) {
      expect(members.length).toBeLessThan(32 * workers);
      members.push(...(await Promise.all(Array.from({ length: 8 }, () => TestClient.open(gateway.url)))));
    }
    await Promise.all(members.map((member) => join(member, '123')));
    const sender = await TestClient.open(gateway.url);
    sender.sendText(`{"cmd":"send_to_group", "group_id":"123", "message":"${TEXT}"}`);
    for (const member of members) expect((await member.next()).text).toBe(TEXT);
    sender.sendCommand({ cmd: 'ping', id: 'last' });
    await sender.reply('last');
    expect(textsOf(sender)).toHaveLength(1);
    await Promise.all([sender, ...members].map((client) => client.close()));
  });

  test('leaves nothing behind when all have left or closed', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => TestClient.open(gateway.url)));
    for (const groupId of ['a', 'b', 7]) {
      await Promise.all(clients.map((client) => join(client, groupId)));
    }
    expect((await hub.stats()).channels).toBeGreaterThanOrEqual(3);
    expect((await gateway.stats()).groups).toBeGreaterThanOrEqual(3);
    for (const client of clients) client.sendCommand({ cmd: 'leave_group', group_id: 'a' });
    await Promise.all(clients.map((client) => client.close()));
    await untilEmpty(hub, gateway);
  });
});

async function idleWorkers(gateway: TestGateway, workers: number): Promise<number> {
  const { workers: rows } = await statsOfAll(gateway, workers);
  return rows.filter(({ connections }) => connections === 0).length;
}

describe('two gateways on one hub', () => {
  let here: TestGateway;
  let there: TestGateway;

  beforeAll(async () => {
    [here, there] = await Promise.all([
      startGateway({ hub: hub.address }),
      startGateway({ hub: hub.address }),
    ]);
  });

  test('a message reaches members of the other one, in both modes', async () => {
    const plain = await TestClient.open(here.url);
    const v1 = await TestClient.open(here.url, { protocol: 'groupcast.v1' });
    await join(plain, '123');
    await join(v1, '123');
    const sender = await TestClient.open(there.url);
    sender.sendText(`{"cmd":"send_to_group", "group_id":"123", "message":"${TEXT}"}`);
    expect((await plain.next()).text).toBe(TEXT);
    expect((await v1.next()).json).toMatchObject({ type: 'message', group_id: '123', message: TEXT });
    await Promise.all([plain, v1, sender].map((client) => client.close()));
  });

  test('123 and "123" are one group, "0123" is another', async () => {
    const number = await TestClient.open(here.url);
    const text = await TestClient.open(there.url);
    const other = await TestClient.open(there.url);
    await join(number, 123);
    await join(text, '123');
    await join(other, '0123');
    text.sendCommand({ cmd: 'send_to_group', group_id: '123', message: 'to the text' });
    number.sendCommand({ cmd: 'send_to_group', group_id: 123, message: 'to the number', id: 1 });
    // Two senders on two gateways: either message may be the first.
    for (const member of [number, text]) {
      await member.messages.seen((message) => message.text === 'to the text');
      await member.messages.seen((message) => message.text === 'to the number');
    }
    other.sendCommand({ cmd: 'send_to_group', group_id: '0123', message: 'last', id: 1 });
    await other.nextMatching((message) => message.text === 'last');
    expect(textsOf(other).some((message) => message.startsWith('to the '))).toBe(false);
    await Promise.all([number, text, other].map((client) => client.close()));
  });

  test('a member that has left receives nothing more, one that stays does', async () => {
    const leaver = await TestClient.open(here.url);
    const stayer = await TestClient.open(here.url);
    const sender = await TestClient.open(there.url);
    await join(leaver, 'room');
    await join(stayer, 'room');
    sender.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: 'before' });
    for (const member of [leaver, stayer]) expect((await member.next()).text).toBe('before');
    leaver.sendCommand({ cmd: 'leave_group', group_id: 'room', id: 'left' });
    await leaver.reply('left');
    sender.sendCommand({ cmd: 'send_to_group', group_id: 'room', message: 'after' });
    expect((await stayer.next()).text).toBe('after');
    leaver.sendCommand({ cmd: 'ping', id: 'last' });
    await leaver.reply('last');
    expect(textsOf(leaver)).not.toContain('after');
    await Promise.all([leaver, stayer, sender].map((client) => client.close()));
  });

  test('nothing is left in the end', () => untilEmpty(hub, here, there));
});
