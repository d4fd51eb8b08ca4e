import { untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, expect, test } from 'vitest';
import type { GatewayOptions } from '../src/options.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

async function start(options: Partial<Omit<GatewayOptions, 'hub' | 'wheel'>>): Promise<void> {
  started = await startGateway(options);
}

afterEach(() => started.gateway.close());

/** Returns a command of exactly `bytes` bytes on the wire. */
function padded(command: object, bytes: number): Record<string, unknown> {
  const bare = JSON.stringify({ ...command, x: '' }).length;
  return { ...command, x: 'x'.repeat(bytes - bare) };
}

const REFUSED = { type: 'error', code: 'rate_limited' };

test('bytes beyond the rate are rejected with their ids, and then closed with 1008', async () => {
  await start({ messageBytesPerSecond: 0.001, messageBytesBurst: 5_000 });
  const client = await TestClient.v1(started.url);
  for (let id = 1; id <= 15; id++) client.send(padded({ cmd: 'ping', id }, 1_000));
  for (let id = 1; id <= 5; id++) expect(await client.event()).toEqual({ type: 'ack', id });
  for (let id = 6; id <= 15; id++) expect(await client.event()).toMatchObject({ ...REFUSED, id });
  expect(await client.event()).toMatchObject({ type: 'disconnect', code: 1008 });
  expect(started.gateway.stats().rejected.rate_limited).toBe(10);
});

test('bytes count instead of characters, and a message longer than the burst passes once', async () => {
  await start({ messageBytesPerSecond: 0.001, messageBytesBurst: 1_000 });
  const client = await TestClient.v1(started.url);
  // 400 characters, 1,200 bytes; and fragmented, so that the slow path reads it.
  const text = JSON.stringify({ cmd: 'ping', id: 1, x: 'あ'.repeat(400) });
  client.ws.send(text.slice(0, 100), { fin: false });
  client.ws.send(text.slice(100), { fin: true });
  expect(await client.event()).toEqual({ type: 'ack', id: 1 });
  expect(await client.ask({ cmd: 'ping', id: 2 })).toMatchObject({ ...REFUSED, id: 2 });
});

test('0 is no limit, and welcome says so', async () => {
  await start({ messageBytesPerSecond: 0, messageBytesBurst: 1, groupBytesPerSecond: 0, groupBytesBurst: 1 });
  const client = new TestClient(started.url, ['groupcast.v1']);
  const welcome = { type: 'welcome', limits: { bytes_per_second: 0, bytes_burst: 0 } };
  expect(await client.event()).toMatchObject(welcome);
  for (let id = 1; id <= 100; id++)
    client.send({ cmd: 'send_to_group', group_id: 'g', id, message: 'x'.repeat(1_000) });
  for (let id = 1; id <= 100; id++) expect(await client.event()).toMatchObject({ type: 'ack', id });
});

test('the byte rate of a group is for all clients together; each gets an error, and no client is closed', async () => {
  await start({ groupBytesPerSecond: 0.001, groupBytesBurst: 10_000 });
  const clients = await Promise.all(Array.from({ length: 4 }, () => TestClient.v1(started.url)));
  const answers: unknown[] = [];
  for (let round = 0; round < 20; round++) {
    for (const client of clients) {
      const command = padded({ cmd: 'send_to_group', group_id: 'g', id: round, message: 'm' }, 1_000 - 128);
      answers.push((await client.ask(command))?.['type']);
    }
  }
  expect(answers.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 'ack'));
  expect(answers.slice(10)).toEqual(Array.from({ length: 70 }, () => 'error'));
  const last = await clients[0]?.ask({ cmd: 'send_to_group', group_id: 'g', id: 'last', message: 'm' });
  expect(last).toMatchObject({ ...REFUSED, message: expect.stringContaining('The group') });
  // Other groups have room.
  const other = await clients[0]?.ask({ cmd: 'send_to_group', group_id: 'other', id: 'o', message: 'm' });
  expect(other).toMatchObject({ type: 'ack', id: 'o' });
  expect(started.gateway.stats().connections).toBe(4);
});

test('messages of the hub count for a group with members, and its own do not count twice', async () => {
  await start({ groupBytesPerSecond: 0.001, groupBytesBurst: 10_000 });
  const client = await TestClient.v1(started.url);
  await client.ask({ cmd: 'add_group', group_id: 'g', id: 'join' });
  const send = async (id: number): Promise<unknown> => {
    client.send({ cmd: 'send_to_group', group_id: 'g', id, message: 'x'.repeat(900) });
    for (;;) {
      const event = await client.event();
      if (event['type'] !== 'message') return event['type'];
    }
  };
  for (let id = 1; id <= 5; id++) expect(await send(id)).toBe('ack');
  // 5 x 1,084 bytes are charged. Other messages use 4 x 1,100 of the rest, and their envelopes.
  for (let count = 0; count < 4; count++) started.hub.publish('group:g', 'y'.repeat(1_100));
  await untilTurn(() => started.gateway.stats().publications === 9);
  expect(await send(6)).toBe('ack');
  expect(await send(7)).toBe('error');
});
