import { connect } from 'node:net';
import { encodeFrame } from '@groupcast/protocol';
import {
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
} from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bytesOf, serializedMessage, takeEvents } from './events-of.ts';
import { runPhp, startSubscriber, withoutPhp } from './start-php.ts';

describe.skipIf(withoutPhp)('PHP workers and WebSocket clients share groups', () => {
  let hub: TestHub;
  let gateway: TestGateway;

  beforeAll(async () => {
    hub = await startHub();
    gateway = await startGateway({ hub: hub.address, workers: 2 });
  });
  afterAll(killAll);

  /** Opens a client that is a member of the group. */
  async function member(group: string): Promise<TestClient> {
    const client = await TestClient.open(gateway.url, { protocol: 'groupcast.v1' });
    client.sendCommand({ cmd: 'add_group', group_id: group, id: 'join' });
    expect(await client.reply('join')).toMatchObject({ type: 'ack' });
    return client;
  }

  async function nextMessage(client: TestClient): Promise<unknown> {
    const { json } = await client.nextMatching((message) => message.json?.['type'] === 'message');
    return json?.['message'];
  }

  test('a message of a PHP worker to a group reaches its members', async () => {
    const client = await member('456');
    await runPhp('send-to-group', hub.port, '456', 'これはメッセージです', 'second');
    expect([await nextMessage(client), await nextMessage(client)]).toEqual([
      'これはメッセージです',
      'second',
    ]);
  });

  test('a message of a client reaches a PHP worker as the bytes that PHP would have sent', async () => {
    const worker = await startSubscriber('subscribe', hub.port, 'hex', 'send_to_group');
    const client = await TestClient.open(gateway.url);
    client.sendCommand({ cmd: 'send_to_group', group_id: '123', message: 'これはメッセージです' });
    const [data = ''] = await takeEvents(worker, 'send_to_group', 1);
    expect(bytesOf(data)).toBe(serializedMessage('123', 'これはメッセージです'));
  });

  test('all receive the messages of all in one order', async () => {
    const count = 200;
    const worker = await startSubscriber('subscribe', hub.port, 'hex', 'send_to_group');
    const answerer = await startSubscriber('answer', hub.port, 'mixed');
    const members = [await member('mixed'), await member('mixed')];
    // Each continues when it was answered, so that the messages of all three interleave.
    const converse = async (client: TestClient, name: string): Promise<void> => {
      for (let index = 0; index < count; index++) {
        const text = `ask ${name} ${index}`;
        client.sendCommand({ cmd: 'send_to_group', group_id: 'mixed', message: text });
        await client.messages.seen(({ json }) => json?.['message'] === `answer to ${text}`);
      }
    };
    await Promise.all(members.map((client, index) => converse(client, `client ${index}`)));
    const total = 2 * 2 * count;
    const seen: string[][] = [];
    for (const client of members) {
      const texts: string[] = [];
      while (texts.length < total) texts.push(String(await nextMessage(client)));
      seen.push(texts);
    }
    expect(new Set(seen[0]).size).toBe(total);
    expect(seen[1]).toEqual(seen[0]);
    const expected = seen[0]?.map((text) => serializedMessage('mixed', text));
    for (const child of [worker, answerer]) {
      expect((await takeEvents(child, 'send_to_group', total)).map(bytesOf)).toEqual(expected);
    }
  });

  test('scalars of other publishers reach a PHP worker as text, which it can forward', async () => {
    const worker = await startSubscriber('subscribe', hub.port, 'hex', 'send_to_group', 'group:7');
    const peer = connect(hub.port, '127.0.0.1');
    for (const data of ['5', '1.5', 'true', 'null']) {
      peer.write(encodeFrame(Buffer.from(`{"type":"publish","channels":["group:7"],"data":${data}}`)));
      const [text = ''] = await takeEvents(worker, 'group:7', 1);
      expect(bytesOf(text)).toBe(`s:${data.length}:"${data}";`);
      const [message = ''] = await takeEvents(worker, 'send_to_group', 1);
      expect(bytesOf(message)).toBe(serializedMessage('7', data));
    }
    peer.destroy();
  });

  test('a group that PHP names by a 64-bit integer is the group of its digits', async () => {
    const client = await member('9223372036854775807');
    await runPhp('send-to-group', hub.port, 'int:9223372036854775807', 'hi');
    expect(await nextMessage(client)).toBe('hi');
  });
});
