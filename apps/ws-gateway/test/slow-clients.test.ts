import type { Log } from '@groupcast/service';
import { clientFrame, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

const MIB = 1024 * 1024;
const MESSAGE_BYTES = 64 * 1024;
const MESSAGE = 'x'.repeat(MESSAGE_BYTES);
/** Bytes far above the kernel's buffers between two sockets. */
const MESSAGES_MAX = 1_000;

let started: StartedGateway;

afterEach(async () => {
  await started.gateway.close();
});

const V1 = ['Sec-WebSocket-Protocol: groupcast.v1'];

/** Default buffer of one client. */
const BUFFER_BYTES = 4 * MIB;

/** Connects a client that joins a group and does not read. */
async function neverReader(headers: readonly string[] = [], group = 'g'): Promise<RawClient> {
  const client = await RawClient.upgraded(started.port, headers);
  client.socket.pause();
  client.write(clientFrame(0x81, `{"cmd":"add_group","group_id":"${group}"}`));
  await untilTurn(() => started.gateway.connections().at(-1)?.groups === 1);
  return client;
}

/**
 * Publishes to a group, one message per turn, until the kernel's buffers are full for the members
 * that do not read.
 */
async function fillKernel(group: string, isFull: () => boolean): Promise<void> {
  for (let count = 1; count <= MESSAGES_MAX; count++) {
    started.hub.publish(`group:${group}`, MESSAGE);
    await new Promise(setImmediate);
    if (isFull()) return;
  }
  throw new Error('The kernel took everything.');
}

/** Returns the texts that a client got. */
function textsOf({ frames }: RawClient): Buffer[] {
  return frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => payload);
}

function closedAsSlow(): number {
  return started.gateway.stats().closed.slow;
}

function states(): string[] {
  return started.gateway.connections().map(({ state }) => state);
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

/**
 * Publishes, one message per turn, until a condition holds. The reader must get every message.
 * Returns the number of messages.
 */
async function publishUntil(member: TestClient, holds: () => boolean): Promise<number> {
  for (let count = 1; count <= MESSAGES_MAX; count++) {
    started.hub.publish('group:g', MESSAGE);
    expect((await member.message()).length).toBe(MESSAGE_BYTES);
    if (holds()) return count;
  }
  throw new Error('It never came to that.');
}

test('a client that never reads is closed at the limit of its buffer, and the others get every message', async () => {
  const lines: unknown[][] = [];
  started = await startGateway({ log: logTo(lines) });
  const { gateway } = started;
  const member = await reader();
  const slow = await neverReader(V1);
  let queuedBytesMost = 0;
  await publishUntil(member, () => {
    queuedBytesMost = Math.max(queuedBytesMost, gateway.stats().bufferedBytes);
    return gateway.connections().some(({ state }) => state === 'draining');
  });
  expect(queuedBytesMost).toBeGreaterThan(BUFFER_BYTES - MESSAGE_BYTES);
  // The message that is being written, the limit, the one that crosses it, and their overhead.
  expect(queuedBytesMost).toBeLessThan(BUFFER_BYTES + 3 * MESSAGE_BYTES);
  // It has left its groups: nothing is added to its buffer.
  expect(gateway.connections().map(({ groups }) => groups)).toEqual([1, 0]);
  for (let count = 0; count < 20; count++) {
    started.hub.publish('group:g', MESSAGE);
    await member.message();
  }
  expect(gateway.stats().bufferedBytes).toBeLessThanOrEqual(queuedBytesMost);
  started.advance(5);
  await untilTurn(() => gateway.stats().connections === 1);
  expect(gateway.stats()).toMatchObject({ bufferedBytes: 0, closed: { slow: 1 } });
  expect(lines).toEqual([
    [
      { clientId: expect.any(String), address: '127.0.0.1', bufferedBytes: expect.any(Number) },
      'a client was closed because it reads too slowly',
    ],
  ]);
  slow.socket.destroy();
});

test('a slow client that reads again gets the reason of its close', async () => {
  started = await startGateway();
  const member = await reader();
  const slow = await neverReader(V1);
  await publishUntil(member, () => started.gateway.connections().some(({ state }) => state === 'draining'));
  slow.socket.resume();
  await untilTurn(() => slow.frames.some(({ opcode }) => opcode === 8));
  const last = slow.frames.filter(({ opcode }) => opcode === 1).at(-1);
  expect(JSON.parse(String(last?.payload))).toMatchObject({
    type: 'disconnect',
    code: 4001,
    reconnect: true,
  });
  slow.write(clientFrame(0x88, Buffer.from('0fa1', 'hex')));
  expect((await slow.ended).code).toBe(4001);
  await untilTurn(() => started.gateway.stats().connections === 1);
  expect(started.gateway.stats().closed.slow).toBe(1);
});

test('a client that reads nothing is closed after fifteen seconds, with any buffer', async () => {
  started = await startGateway();
  const { gateway } = started;
  const slow = await neverReader(V1);
  await fillKernel('g', () => gateway.stats().bufferedBytes > 0);
  expect(gateway.stats().bufferedBytes).toBeLessThan(2 * MESSAGE_BYTES);
  started.advance(14);
  expect(states()).toEqual(['open']);
  started.advance(1);
  expect(states()).toEqual(['draining']);
  slow.socket.resume();
  await untilTurn(() => slow.frames.some(({ opcode }) => opcode === 8));
  slow.write(clientFrame(0x88, Buffer.from('0fa1', 'hex')));
  expect((await slow.ended).code).toBe(4001);
  await untilTurn(() => closedAsSlow() === 1);
});

test('a burst above the kernel buffers closes no client that reads it', async () => {
  started = await startGateway();
  const { gateway } = started;
  const member = await neverReader();
  await fillKernel('g', () => gateway.stats().bufferedBytes > 0);
  for (let count = 0; count < 50; count++) started.hub.publish('group:g', `b${'x'.repeat(60_000)}`);
  await untilTurn(() => gateway.stats().bufferedBytes > 50 * 60_000);
  member.socket.resume();
  await untilTurn(() => textsOf(member).filter((text) => text[0] === 0x62).length === 50);
  expect(gateway.connections()).toMatchObject([{ state: 'open' }]);
  member.socket.destroy();
});

test.each([
  ['5 MiB of text', 5 * MIB, 'x'],
  ['10 MiB of text, as long as a frame of the hub may be', 10 * MIB - 1_024, 'x'],
  ['1.6 MB of control characters, which v1 clients get at six times the length', 1_600_000, '\u0001'],
])('one message of %s closes no client', async (_what, bytes, character) => {
  started = await startGateway();
  const { gateway } = started;
  const members = [await neverReader(), await neverReader(V1), await neverReader(), await neverReader(V1)];
  // Two clients read all the time, and for two the message is behind others.
  for (const member of members.slice(0, 2)) member.socket.resume();
  const waiting = (): number => gateway.connections().filter(({ bufferedBytes }) => bufferedBytes > 0).length;
  await fillKernel('g', () => waiting() >= 2);
  const long = character.repeat(bytes);
  for (const text of ['before', long, 'after', 'last']) {
    started.hub.publish('group:g', text);
    await new Promise(setImmediate);
  }
  for (const member of members) member.socket.resume();
  await untilTurn(() => members.every((member) => String(textsOf(member).at(-1)).includes('last')));
  for (const [index, member] of members.entries()) {
    const text = String(textsOf(member).at(-3));
    expect((index % 2 === 0 ? text : JSON.parse(text).message) === long).toBe(true);
    member.socket.destroy();
  }
  await untilTurn(() => gateway.stats().connections === 0);
  expect(closedAsSlow()).toBe(0);
});

test('at the limit of all buffers the client furthest behind is cut, and not the largest burst', async () => {
  const lines: unknown[][] = [];
  started = await startGateway({
    log: logTo(lines),
    clientBufferBytes: 60 * MIB,
    clientBufferTotalBytes: 64 * MIB,
  });
  const { gateway } = started;
  const [never, honest] = [await neverReader([], 'a'), await neverReader([], 'b')];
  await fillKernel('a', () => gateway.stats().bufferedBytes > 40 * MIB);
  started.advance(5);
  const held = gateway.stats().bufferedBytes;
  await fillKernel('b', () => gateway.stats().bufferedBytes > held);
  for (let count = 0; count < 500; count++) started.hub.publish('group:b', `b${'x'.repeat(60_000)}`);
  await untilTurn(() => gateway.stats().connections === 1);
  never.socket.resume();
  expect((await never.ended).code).toBeUndefined();
  expect(lines.map(([, sentence]) => sentence)).toEqual([
    'a client was cut because it reads too slowly and the buffers of all clients are full',
  ]);
  honest.socket.resume();
  await untilTurn(() => textsOf(honest).filter((text) => text[0] === 0x62).length === 500);
  expect(gateway.stats()).toMatchObject({ connections: 1, closed: { slow: 1 } });
  honest.socket.destroy();
  await untilTurn(() => gateway.stats().connections === 0);
  expect(gateway.stats().bufferedBytes).toBe(0);
});

test('a buffer that many members share counts once', async () => {
  started = await startGateway({ clientBufferTotalBytes: 64 * MIB });
  const { gateway } = started;
  const members: RawClient[] = [];
  for (let count = 0; count < 30; count++) members.push(await neverReader());
  const waiting = (): number => gateway.connections().filter(({ bufferedBytes }) => bufferedBytes > 0).length;
  await fillKernel('g', () => waiting() === 30);
  for (let count = 0; count < 40; count++) started.hub.publish('group:g', MESSAGE);
  await untilTurn(() =>
    gateway.connections().every(({ bufferedBytes }) => bufferedBytes > 40 * MESSAGE_BYTES),
  );
  expect(gateway.stats().bufferedBytes).toBeLessThan(4 * MIB);
  expect(gateway.stats().connections).toBe(30);
  for (const member of members) member.socket.destroy();
});

test('a client that sends commands and never reads the replies is closed at the limit of its buffer', async () => {
  started = await startGateway({
    messagesPerSecond: 1_000_000_000,
    messagesBurst: 1_000_000_000,
    clientBufferBytes: MIB,
    groupBytesBurst: MIB,
  });
  const { gateway } = started;
  const member = await reader();
  const slow = await RawClient.upgraded(started.port);
  slow.socket.pause();
  const pings = Buffer.concat(
    Array.from({ length: 1_000 }, () => clientFrame(0x81, `{"cmd":"ping","id":"${'i'.repeat(128)}"}`)),
  );
  let queuedBytesMost = 0;
  await untilTurn(() => {
    if (slow.socket.writableLength < MIB) slow.socket.write(pings);
    queuedBytesMost = Math.max(queuedBytesMost, ...gateway.connections().map((row) => row.bufferedBytes));
    return states().includes('draining');
  });
  // Replies in the kernel count, too, until the last one of their write is there.
  expect(queuedBytesMost).toBeLessThan(2 * MIB);
  expect(await member.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  started.advance(5);
  await untilTurn(() => gateway.stats().connections === 1);
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
    started.advance(1);
  }
  expect(started.gateway.stats()).toMatchObject({ connections: 2, closed: { slow: 0 } });
});
