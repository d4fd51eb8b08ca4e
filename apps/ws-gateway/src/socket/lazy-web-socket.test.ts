import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connectPair, type SocketPair } from '@groupcast/stream-handle/testing';
import { clientFrame, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LazyWebSocket, type WebSocketReceiver } from './lazy-web-socket.ts';
import { textFrame, textFrames } from './outbound-frame.ts';

const OPTIONS = { allowSynchronousEvents: true, autoPong: true, maxPayload: 1_000, closeTimeout: 60_000 };

const pairs: SocketPair[] = [];

afterEach(() => {
  for (const pair of pairs.splice(0)) pair.end();
});

interface Late extends SocketPair {
  readonly ws: LazyWebSocket;
  /** Events of the receiver, in order. */
  readonly heard: string[];
  /** Bytes received by the far end. */
  arrived(): string;
}

function recorder(heard: string[]): WebSocketReceiver {
  return {
    receive: (text) => heard.push(`text ${text}`),
    receiveBinary: () => heard.push('binary'),
    receiveControl: () => heard.push('control'),
    closing: (reason) => heard.push(`closing ${reason}`),
    closed: (code) => heard.push(`closed ${code}`),
  };
}

async function lateWebSocket(): Promise<Late> {
  const pair = await connectPair();
  pairs.push(pair);
  const heard: string[] = [];
  const ws = LazyWebSocket.create(OPTIONS);
  ws.listen(recorder(heard));
  const chunks: Buffer[] = [];
  pair.far.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { ...pair, ws, heard, arrived: () => Buffer.concat(chunks).toString('hex') };
}

async function opened(): Promise<Late> {
  const late = await lateWebSocket();
  late.ws.takeOver(late.near, OPTIONS);
  return late;
}

function senderOf(ws: LazyWebSocket): { _queue: unknown[]; _state: number; _socket: Socket } {
  return Reflect.get(ws, '_sender');
}

describe('what is used of ws is still there', () => {
  test('setSocket, which an upgrade calls', () => {
    expect(Reflect.get(WebSocket.prototype, 'setSocket')).toHaveLength(3);
    expect(Object.hasOwn(LazyWebSocket.prototype, 'setSocket')).toBe(true);
  });

  test('before it has a socket, a WebSocket has none, no sender and no parser', () => {
    const ws = LazyWebSocket.create(OPTIONS);
    expect(ws.hasSocket).toBe(false);
    expect(ws.readyState).toBe(WebSocket.CONNECTING);
    for (const field of ['_socket', '_sender', '_receiver']) expect(Reflect.get(ws, field)).toBeNull();
  });

  test('afterwards it has all of them, is open, and may be passed', async () => {
    const { ws, near } = await opened();
    expect(ws.hasSocket).toBe(true);
    expect(ws.readyState).toBe(WebSocket.OPEN);
    expect(Reflect.get(ws, '_socket')).toBe(near);
    expect(senderOf(ws)).toMatchObject({ _queue: [], _state: 0 });
    expect(senderOf(ws)._socket).toBe(near);
    expect(ws.canBypass(near)).toBe(true);
  });
});

test('bytes behind the upgrade are kept unread', () => {
  const ws = LazyWebSocket.create(OPTIONS);
  const head = Buffer.from('head');
  Reflect.apply(Reflect.get(ws, 'setSocket'), ws, [undefined, head, OPTIONS]);
  expect(ws.head).toBe(head);
  expect(ws.hasSocket).toBe(false);
});

test('a WebSocket that is given its socket late reads, answers and closes', async () => {
  const { far, heard, arrived } = await opened();
  far.write(
    Buffer.concat([
      clientFrame(0x81, 'one'),
      clientFrame(0x82, 'two'),
      clientFrame(0x89, 'p'),
      clientFrame(0x8a, 'q'),
    ]),
  );
  far.write(clientFrame(0x88, Buffer.from('03e8627965', 'hex')));
  await untilTurn(() => heard.includes('closed 1000'));
  expect(heard).toEqual(['text one', 'binary', 'control', 'control', 'closing undefined', 'closed 1000']);
  expect(arrived()).toBe('8a0170880503e8627965');
});

describe('mayBePassed', () => {
  test.each(['_sender', '_socket'])('not when its %s is no more what it was', async (field) => {
    const { ws, near } = await opened();
    const known: unknown = Reflect.get(ws, field);
    for (const other of [undefined, null, {}]) {
      Reflect.set(ws, field, other);
      expect(ws.canBypass(near)).toBe(false);
    }
    Reflect.set(ws, field, known);
    expect(ws.canBypass(near)).toBe(true);
  });

  test('not when the sender has queued something, or is at work, or has another socket', async () => {
    const { ws, near, far } = await opened();
    const sender = senderOf(ws);
    sender._queue.push([]);
    expect(ws.canBypass(near)).toBe(false);
    sender._queue.length = 0;
    sender._state = 1;
    expect(ws.canBypass(near)).toBe(false);
    sender._state = 0;
    expect(ws.canBypass(near)).toBe(true);
    sender._socket = far;
    expect(ws.canBypass(near)).toBe(false);
  });

  test('not when the sender has no queue any more', async () => {
    const { ws, near } = await opened();
    Reflect.deleteProperty(senderOf(ws), '_queue');
    expect(ws.canBypass(near)).toBe(false);
  });

  test('not on a foreign socket', async () => {
    const { ws, far } = await opened();
    expect(ws.canBypass(far)).toBe(false);
  });

  test('not with an extension', async () => {
    const { ws, near } = await opened();
    Reflect.set(ws, '_extensions', { 'permessage-deflate': {} });
    expect(ws.canBypass(near)).toBe(false);
    Reflect.set(ws, '_extensions', {});
  });
});

describe('the reason of a close', () => {
  test.each([
    ['a reserved opcode', clientFrame(0x83, 'x'), 'protocol_error', 1002],
    ['a text that is not UTF-8', clientFrame(0x81, Buffer.from('ff', 'hex')), 'invalid_utf8', 1007],
    ['a message that is too big', clientFrame(0x81, 'x'.repeat(1_001)), 'message_too_big', 1009],
    ['an invalid close code', clientFrame(0x88, Buffer.from('03ed', 'hex')), 'protocol_error', 1002],
  ])('for %s is heard before the close frame leaves', async (_what, bytes, reason, code) => {
    const late = await opened();
    const { ws, heard, far } = late;
    const { closing } = recorder(heard);
    ws.receiver = {
      ...recorder(heard),
      closing: (why) => {
        closing(why);
        expect(ws.readyState).toBe(WebSocket.OPEN);
        ws.sendFrames(textFrame('last words'));
      },
    };
    far.write(bytes);
    await untilTurn(() => late.arrived().length > 2 * textFrame('last words').length + 8);
    far.end();
    await untilTurn(() => heard.length === 2);
    expect(heard).toEqual([`closing ${reason}`, 'closed 1006']);
    const last = textFrame('last words').toString('hex');
    expect(late.arrived().startsWith(last)).toBe(true);
    const close = Buffer.from(late.arrived().slice(last.length), 'hex');
    expect(close[0]).toBe(0x88);
    expect(close.length).toBe(2 + (close[1] ?? 0));
    expect(close.readUInt16BE(2)).toBe(code);
    expect(close.length).toBeGreaterThan(4);
  });

  test('a client that closes without a code is answered without one', async () => {
    const { far, heard, arrived } = await opened();
    far.write(clientFrame(0x88, ''));
    await untilTurn(() => heard.includes('closed 1005'));
    expect(heard).toEqual(['closing undefined', 'closed 1005']);
    expect(arrived()).toBe('8800');
  });
});

test('a client that goes without a close frame was lost', async () => {
  const { far, heard } = await opened();
  far.end();
  await untilTurn(() => heard.length > 0);
  expect(heard).toEqual(['closed 1006']);
});

test('frames of ws and frames that are written past it arrive whole and in order', async () => {
  const { ws, near, far } = await opened();
  const expected: Buffer[] = [];
  const chunks: Buffer[] = [];
  far.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (let round = 0; round < 64; round++) {
    const large = textFrame(String.fromCharCode(97 + (round % 26)).repeat(200_000));
    expect(ws.canBypass(near)).toBe(true);
    near.write(large);
    ws.ping(`p${round}`);
    ws.sendFrames(textFrames([Buffer.from(`sent ${round}`), Buffer.from('')]));
    const ping = Buffer.from(`p${round}`);
    expected.push(large, Buffer.from([0x89, ping.length]), ping, textFrame(`sent ${round}`), textFrame(''));
  }
  expect(near.writableLength).toBeGreaterThan(0);
  near.end();
  await once(far, 'end');
  expect(Buffer.concat(chunks).equals(Buffer.concat(expected))).toBe(true);
});
