import { clientFrame, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

const TEXT = 0x81;
const FRAGMENT = 0x01;
const CONTINUATION = 0x00;
const CLOSE = 0x88;
const PING = 0x89;

let started: StartedGateway;
let member: TestClient;

beforeEach(async () => {
  started = await startGateway();
  member = await TestClient.plain(started.url);
  await member.ask({ cmd: 'add_group', group_id: 'g', id: 1 });
});

// In every case the other member still gets messages, and the hostile client leaves no state.
afterEach(async () => {
  started.hub.publish('group:g', 'still here');
  expect(await member.message()).toBe('still here');
  await untilTurn(() => started.gateway.stats().connections === 1);
  await started.gateway.close();
});

function bytes(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}

test.each([
  ['an unmasked frame', bytes('810548656c6c6f'), 1002],
  ['a frame with RSV1, without an extension', clientFrame(0xc1, 'x'), 1002],
  ['a frame with RSV2', clientFrame(0xa1, 'x'), 1002],
  ['a frame with RSV3', clientFrame(0x91, 'x'), 1002],
  ['reserved opcode 3', clientFrame(0x83, 'x'), 1002],
  ['reserved opcode 11', clientFrame(0x8b, 'x'), 1002],
  ['reserved opcode 15', clientFrame(0x8f, 'x'), 1002],
  ['a continuation of nothing', clientFrame(0x80, 'x'), 1002],
  [
    'a new message within a message',
    Buffer.concat([clientFrame(FRAGMENT, 'x'), clientFrame(TEXT, 'x')]),
    1002,
  ],
  ['a ping in fragments', clientFrame(0x09, 'x'), 1002],
  ['a ping of 126 bytes', clientFrame(PING, 'x'.repeat(126)), 1002],
  ['a close frame of one byte', clientFrame(CLOSE, 'x'), 1002],
  ['a close code that is not allowed', clientFrame(CLOSE, bytes('03ed')), 1002],
  ['a close reason that is not UTF-8', clientFrame(CLOSE, bytes('03e8ff')), 1007],
  ['text that is not UTF-8', clientFrame(TEXT, bytes('7bff7d')), 1007],
  ['half a surrogate pair in UTF-8', clientFrame(TEXT, bytes('eda080')), 1007],
  [
    'UTF-8 that a fragment leaves open',
    Buffer.concat([clientFrame(FRAGMENT, bytes('e2')), clientFrame(0x80, 'x')]),
    1007,
  ],
  ['a length of 2^63', bytes('81ff8000000000000000'), 1009],
  ['a length of 2^53', bytes('81ff0020000000000000'), 1009],
  ['a length above the limit, of which nothing came yet', bytes('81ff000000000001000100000000'), 1009],
])('%s closes with its code', async (_, frame, code) => {
  const client = await RawClient.upgraded(started.port);
  client.write(frame);
  expect((await client.ended).code).toBe(code);
});

test('an invalid frame that arrives byte by byte closes with the same code', async () => {
  const client = await RawClient.upgraded(started.port);
  client.socket.setNoDelay(true);
  for (const byte of bytes('810548')) client.write(Buffer.of(byte));
  expect((await client.ended).code).toBe(1002);
});

test('fragments whose sum is above the limit close with 1009, also small ones', async () => {
  const client = await RawClient.upgraded(started.port);
  client.write(clientFrame(FRAGMENT, 'x'.repeat(60_000)), clientFrame(CONTINUATION, 'x'.repeat(5_537)));
  expect((await client.ended).code).toBe(1009);
});

test.each([
  ['empty', ''],
  ['of one byte', 'x'],
])('100,000 fragments, %s each, close with 1008', async (_, payload) => {
  const client = await RawClient.upgraded(started.port);
  const fragment = clientFrame(CONTINUATION, payload);
  client.write(
    clientFrame(FRAGMENT, payload),
    Buffer.concat(Array.from({ length: 100_000 }, () => fragment)),
  );
  expect((await client.ended).code).toBe(1008);
});

test('1,025 fragments are above the limit', async () => {
  const client = await RawClient.upgraded(started.port);
  client.write(
    clientFrame(FRAGMENT, ''),
    ...Array.from({ length: 1_024 }, () => clientFrame(CONTINUATION, '')),
  );
  expect((await client.ended).code).toBe(1008);
});

test('a message in too many chunks of the network closes with 1008', async () => {
  const few = await startGateway({ messageChunksMax: 8 });
  const client = await RawClient.upgraded(few.port);
  const other = await TestClient.plain(few.url);
  client.socket.setNoDelay(true);
  for (const byte of clientFrame(TEXT, 'x'.repeat(100)).subarray(0, -1)) {
    client.write(Buffer.of(byte));
    // The gateway has read the byte when it answers another client.
    await other.ask({ cmd: 'ping', id: 1 });
  }
  expect((await client.ended).code).toBe(1008);
  await few.gateway.close();
});

test('a message in 1,024 fragments, with a ping within, is accepted', async () => {
  const client = await RawClient.upgraded(started.port);
  const text = JSON.stringify({ cmd: 'send_to_group', group_id: 'g', message: 'x'.repeat(1_000) });
  const pieces = Array.from({ length: 1_024 }, (_, index) => text.slice(index, index + 1));
  pieces[1_023] = text.slice(1_023);
  for (const [index, piece] of pieces.entries()) {
    client.write(clientFrame((index === 1_023 ? 0x80 : 0) | (index === 0 ? 1 : 0), piece));
    if (index === 500) client.write(clientFrame(PING, 'within'));
  }
  expect(await member.message()).toBe('x'.repeat(1_000));
  expect(client.frames.map(({ opcode, payload }) => `${opcode} ${payload}`)).toEqual(['10 within']);
  client.socket.destroy();
});

describe('the disconnect event of a v1 client', () => {
  test.each([
    [clientFrame(TEXT, Buffer.of(0xff)), 1007, 'invalid_utf8'],
    [clientFrame(TEXT, 'x'.repeat(65_537)), 1009, 'message_too_big'],
    [clientFrame(0x83, ''), 1002, 'protocol_error'],
  ] as const)('before the close frame: case %#', async (frame, code, reason) => {
    const client = await RawClient.upgraded(started.port, ['Sec-WebSocket-Protocol: groupcast.v1']);
    client.write(frame);
    const ending = await client.ended;
    const texts = client.frames
      .filter(({ opcode }) => opcode === 1)
      .map(({ payload }) => JSON.parse(String(payload)));
    expect(texts.at(-1)).toEqual({ type: 'disconnect', code, reason: ending.reason, reconnect: false });
    expect(ending.code).toBe(code);
    await untilTurn(() => started.gateway.stats().connections === 1);
    expect(started.gateway.stats().closed[reason]).toBe(1);
  });
});

describe('pings', () => {
  function isClosed(client: RawClient): boolean {
    return client.frames.some(({ opcode }) => opcode === 8);
  }

  test('of a client that reads are answered up to the rate, then it is closed with 1008', async () => {
    const client = await RawClient.upgraded(started.port);
    client.write(Buffer.concat(Array.from({ length: 10_000 }, () => clientFrame(PING, 'p'))));
    await untilTurn(() => isClosed(client));
    // This client does not answer the close frame.
    started.advance(5);
    expect((await client.ended).code).toBe(1008);
    const pongs = client.frames.filter(({ opcode }) => opcode === 10).length;
    expect(pongs).toBeGreaterThanOrEqual(20);
    expect(pongs).toBeLessThan(100);
  });

  test('of a client that does not read close it, too, and nothing is buffered for it', async () => {
    const client = await RawClient.upgraded(started.port);
    client.socket.pause();
    client.write(Buffer.concat(Array.from({ length: 50_000 }, () => clientFrame(PING, 'p'.repeat(125)))));
    let queuedBytesMost = 0;
    await untilTurn(() => {
      const rows = started.gateway.connections();
      queuedBytesMost = Math.max(queuedBytesMost, ...rows.map(({ bufferedBytes }) => bufferedBytes));
      return rows.some(({ state }) => state === 'draining');
    });
    client.socket.resume();
    await untilTurn(() => isClosed(client));
    started.advance(5);
    expect((await client.ended).code).toBe(1008);
    expect(queuedBytesMost).toBeLessThan(64 * 1024);
  });
});

test('compression is not negotiated, with any offer', async () => {
  for (const offer of [
    'permessage-deflate',
    'permessage-deflate; client_max_window_bits; server_max_window_bits=1',
    'permessage-deflate; a="\\"; b=;;,,=',
  ]) {
    const client = await RawClient.upgraded(started.port, [`Sec-WebSocket-Extensions: ${offer}`]);
    expect(client.http.toLowerCase()).not.toContain('extensions');
    client.write(clientFrame(0xc1, Buffer.alloc(1_024)));
    expect((await client.ended).code).toBe(1002);
  }
});
