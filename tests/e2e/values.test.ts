import { killAll, startGateway, startHub, TestClient } from '@groupcast/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Messages of a client, each with the text that members receive. */
const MESSAGES: readonly (readonly [written: string, text: string])[] = [
  ['5', '5'],
  ['{"a":1}', '{"a":1}'],
  ['{ "b": 9007199254740993, "2":1.0, "1":1e400 }', '{ "b": 9007199254740993, "2":1.0, "1":1e400 }'],
  ['[true,null]', '[true,null]'],
  ['null', 'null'],
  ['"\\u00e9"', 'é'],
];

let gateway: Awaited<ReturnType<typeof startGateway>>;

beforeAll(async () => {
  const hub = await startHub();
  gateway = await startGateway({ hub: hub.address, workers: 1 });
});
afterAll(killAll);

async function member(protocol?: 'groupcast.v1'): Promise<TestClient> {
  const client = await TestClient.open(gateway.url, protocol === undefined ? {} : { protocol });
  client.sendCommand({ cmd: 'add_group', group_id: 'values', id: 'join' });
  expect(await client.reply('join')).toMatchObject({ type: 'ack' });
  return client;
}

test('any JSON value is a message: a string as what it says, another value as it is written', async () => {
  const [plain, v1] = [await member(), await member('groupcast.v1')];
  for (const [written, text] of MESSAGES) {
    plain.sendText(`{"cmd":"send_to_group","group_id":"values","id":null,"message":${written}}`);
    expect(await plain.messages.next(), written).toMatchObject({ text });
    const isMessage = (frame: { text: string }): boolean => frame.text.startsWith('{"type":"message"');
    expect(JSON.parse((await v1.messages.next(isMessage)).text), written).toMatchObject({ message: text });
  }
});
