import type { Log } from '@groupcast/service';
import { afterEach, expect, test } from 'vitest';
import { clientFrame, RawClient } from './fixtures/raw-client.ts';
import { type StartedGateway, startGateway } from './fixtures/start-gateway.ts';
import { TestClient } from './fixtures/test-client.ts';
import { until } from './fixtures/until.ts';

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 64 * 1024;
const MESSAGE = 'x'.repeat(MESSAGE_BYTES);
/** Far more than the buffers of the kernel between two sockets can hold. */
const MESSAGES_MAX = 1_000;

let started: StartedGateway;

afterEach(async () => {
  await started.gateway.close();
});

/** A client that joins the group `g` and never reads. */
async function neverReader(headers: readonly string[] = []): Promise<RawClient> {
  const client = await RawClient.upgraded(started.port, headers);
  client.socket.pause();
  client.write(clientFrame(0x81, '{"cmd":"add_group","group_id":"g"}'));
  return client;
}

function logTo(lines: unknown[][]): Log {
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  return { debug: write, info: write, warn: write, error: write };
}

async function reader(): Promise<TestClient> {
  const client = await TestClient.plain(started.url);
  await client.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
  return client;
}

/** Publishes, one message a turn, until something holds; the reader has to get every message. Returns how many there were. */
async function publishUntil(member: TestClient, holds: () => boolean): Promise<number> {
  for (let count = 1; count <= MESSAGES_MAX; count++) {
    started.hub.publish('group:g', MESSAGE);
    expect((await member.message()).length).toBe(MESSAGE_BYTES);
    if (holds()) return count;
  }
  throw new Error('It never came to that.');
}

test('a client that never reads is closed at a bounded queue, and the others get every message', async () => {
  const lines: unknown[][] = [];
  started = await startGateway({ log: logTo(lines) });
  const { gateway } = started;
  const member = await reader();
  const slow = await neverReader(['Sec-WebSocket-Protocol: groupcast.v1']);
  await until(() => gateway.connections().every(({ groups }) => groups === 1));
  let queuedBytesMost = 0;
  await publishUntil(member, () => {
    queuedBytesMost = Math.max(queuedBytesMost, gateway.stats().queuedBytes);
    return gateway.connections().some(({ state }) => state === 'draining');
  });
  expect(queuedBytesMost).toBeGreaterThan(MIB);
  // The limit, one turn's envelope, the goodbye.
  expect(queuedBytesMost).toBeLessThan(MIB + MESSAGE_BYTES + 1_024);
  // It is out of its groups, so nothing is added to its queue.
  expect(gateway.connections().map(({ groups }) => groups)).toEqual([1, 0]);
  for (let count = 0; count < 20; count++) {
    started.hub.publish('group:g', MESSAGE);
    await member.message();
  }
  expect(gateway.stats().queuedBytes).toBeLessThanOrEqual(queuedBytesMost);
  started.turn(5);
  await until(() => gateway.stats().connections === 1);
  expect(gateway.stats()).toMatchObject({ queuedBytes: 0, closed: { slow: 1 } });
  expect(lines).toEqual([
    [
      { clientId: expect.any(String), address: '127.0.0.1', queuedBytes: expect.any(Number) },
      'a client was closed: it reads too slowly',
    ],
  ]);
  slow.socket.destroy();
});

test('a slow client that reads after all learns why it was closed', async () => {
  started = await startGateway();
  const member = await reader();
  const slow = await neverReader(['Sec-WebSocket-Protocol: groupcast.v1']);
  await until(() => started.gateway.connections().every(({ groups }) => groups === 1));
  await publishUntil(member, () => started.gateway.connections().some(({ state }) => state === 'draining'));
  slow.socket.resume();
  await until(() => slow.frames.some(({ opcode }) => opcode === 8));
  const last = slow.frames.filter(({ opcode }) => opcode === 1).at(-1);
  expect(JSON.parse(String(last?.payload))).toMatchObject({
    type: 'disconnect',
    code: 4001,
    reconnect: true,
  });
  slow.write(clientFrame(0x88, Buffer.from('0fa1', 'hex')));
  expect((await slow.ended).code).toBe(4001);
  await until(() => started.gateway.stats().connections === 1);
  expect(started.gateway.stats().closed.slow).toBe(1);
});

test('more than the soft limit is suffered for five seconds', async () => {
  started = await startGateway();
  const { gateway } = started;
  const member = await reader();
  const slow = await neverReader();
  await until(() => gateway.connections().every(({ groups }) => groups === 1));
  await publishUntil(member, () => gateway.stats().queuedBytes > MIB / 4);
  expect(gateway.stats().queuedBytes).toBeLessThan(MIB);
  started.turn(4);
  expect(gateway.connections().map(({ state }) => state)).toEqual(['open', 'open']);
  started.turn(1);
  expect(gateway.connections().map(({ state }) => state)).toEqual(['open', 'draining']);
  started.turn(5);
  await until(() => gateway.stats().connections === 1);
  expect(gateway.stats().closed.slow).toBe(1);
  slow.socket.destroy();
});

test('many slow clients together are bounded too: the largest are cut at once', async () => {
  const lines: unknown[][] = [];
  started = await startGateway({
    log: logTo(lines),
    queueBytesMax: 100 * MIB,
    queueBytesSoft: 100 * MIB,
    queueBytesTotalMax: MIB,
  });
  const { gateway } = started;
  const member = await reader();
  const slow = [await neverReader(), await neverReader(), await neverReader()];
  await until(() => gateway.connections().every(({ groups }) => groups === 1));
  let queuedBytesMost = 0;
  await publishUntil(member, () => {
    queuedBytesMost = Math.max(queuedBytesMost, gateway.stats().queuedBytes);
    return gateway.stats().closed.slow === 2;
  });
  expect(queuedBytesMost).toBeLessThanOrEqual(MIB);
  expect(gateway.stats().connections).toBe(2);
  expect(lines.map(([, sentence]) => sentence)).toEqual(
    Array(2).fill('a client was cut: it reads too slowly, and all queues together are full'),
  );
  for (const client of slow) client.socket.destroy();
  await until(() => gateway.stats().connections === 1);
  expect(gateway.stats().queuedBytes).toBe(0);
});

test('a client that sends commands and never reads the replies is closed at a bounded queue', async () => {
  started = await startGateway({ messagesPerSecond: 1_000_000_000, messagesBurst: 1_000_000_000 });
  const { gateway } = started;
  const member = await reader();
  const slow = await RawClient.upgraded(started.port);
  slow.socket.pause();
  const pings = Buffer.concat(
    Array.from({ length: 1_000 }, () => clientFrame(0x81, `{"cmd":"ping","id":"${'i'.repeat(128)}"}`)),
  );
  let queuedBytesMost = 0;
  await until(() => {
    if (slow.socket.writableLength < MIB) slow.socket.write(pings);
    queuedBytesMost = Math.max(queuedBytesMost, gateway.stats().queuedBytes);
    return gateway.connections().some(({ state }) => state === 'draining');
  });
  expect(queuedBytesMost).toBeLessThan(MIB + 1_024);
  expect(await member.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  started.turn(5);
  await until(() => gateway.stats().connections === 1);
  expect(gateway.stats().closed.slow).toBe(1);
  slow.socket.destroy();
});

test('a client that reads slowly, but fast enough, gets everything', async () => {
  started = await startGateway();
  const member = await reader();
  const [slow] = [await reader()];
  for (let round = 0; round < 30; round++) {
    slow.ws.pause();
    for (let count = 0; count < 10; count++) started.hub.publish('group:g', MESSAGE);
    await member.messages(10);
    slow.ws.resume();
    await slow.messages(10);
    started.turn(1);
  }
  expect(started.gateway.stats()).toMatchObject({ connections: 2, closed: { slow: 0 } });
});
