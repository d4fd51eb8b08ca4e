import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { until } from '@groupcast/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import type { HistoryEvent } from '../history/history-event.ts';
import { HistoryLog } from '../history/history-log.ts';
import { writeMessage } from './message-text.ts';
import { tappedWebSocket, WireTap } from './wire-tap.ts';

let server: WebSocketServer;
let log: HistoryLog;
let tap: WireTap;
let client: WebSocket;
let gateway: WebSocket;

beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  log = new HistoryLog();
  tap = new WireTap('m1', log);
  await connect();
});

afterEach(async () => {
  client.terminate();
  server.close();
  await once(server, 'close');
});

async function connect(): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const Tapped = tappedWebSocket(tap, () => `ws://127.0.0.1:${port}`);
  const connected = once(server, 'connection');
  // The SDK's url is not the one that the tap connects to.
  client = new Tapped('ws://nowhere.invalid', []) as unknown as WebSocket;
  [gateway] = (await connected) as [WebSocket];
  await until(() => tap.sockets.size === 1, 'the tapped socket to open');
}

function ask(command: object): void {
  client.send(JSON.stringify(command));
}

/** Returns the log after the gateway has sent these messages, without times. */
async function logAfter(...events: object[]): Promise<object[]> {
  const last = new Promise((resolve) =>
    client.on('message', (data) => String(data).includes('"last"') && resolve(0)),
  );
  for (const event of [...events, { type: 'last' }]) gateway.send(JSON.stringify(event));
  await last;
  return log.events.map(({ at: _, ...event }: HistoryEvent) => event);
}

const ACK = { type: 'ack', id: 1, group_id: 'g', epoch: 'e', offset: 4 };
const MESSAGE = { type: 'message', group_id: 'g', offset: 5, message: writeMessage('p:1', 50) };
const IN_G = { member: 'm1', group: 'g' };
const RECEIVED = { type: 'recv', ...IN_G, position: { epoch: 'e', offset: 5 }, id: 'p:1', intact: true };

test('a first join, messages and gaps', async () => {
  ask({ cmd: 'add_group', id: 1, group_id: 'g' });
  const gap = { type: 'gap', group_id: 'g', reason: 'epoch_changed', epoch: 'f', offset: 0 };
  expect(await logAfter(ACK, MESSAGE, gap, { ...MESSAGE, offset: 1 })).toEqual([
    { type: 'join', ...IN_G, position: { epoch: 'e', offset: 4 } },
    RECEIVED,
    { type: 'gap', ...IN_G, position: { epoch: 'f', offset: 0 }, reason: 'epoch_changed' },
    { ...RECEIVED, position: { epoch: 'f', offset: 1 } },
  ]);
  expect(tap.received('g')).toBe(2);
  expect(tap.lastId('g')).toBe('p:1');
  expect([...tap.groups]).toEqual(['g']);
});

test('a rejoin is logged with its position and the answer', async () => {
  const since = { epoch: 'e', offset: 2 };
  ask({ cmd: 'add_group', id: 1, group_id: 'g', since });
  const events = await logAfter({ ...ACK, recovered: false, reason: 'trimmed' });
  const position = { epoch: 'e', offset: 4 };
  expect(events).toEqual([{ type: 'join', ...IN_G, position, since, recovered: false, reason: 'trimmed' }]);
});

test('an ephemeral message is logged without a position, and is not the last message', async () => {
  ask({ cmd: 'add_group', id: 1, group_id: 'g' });
  const { offset: _, ...ephemeral } = MESSAGE;
  const events = await logAfter(ACK, { ...MESSAGE, message: writeMessage('p:0', 50) }, ephemeral);
  expect(events.slice(2)).toEqual([{ type: 'recv-ephemeral', ...IN_G, id: 'p:1', intact: true }]);
  expect([tap.received('g'), tap.lastId('g')]).toEqual([2, 'p:0']);
});

test('a join is logged with the number of earlier messages', async () => {
  ask({ cmd: 'add_group', id: 1, group_id: 'g', last: 9 });
  const events = await logAfter({ ...ACK, count: 4 });
  expect(events).toEqual([{ type: 'join', ...IN_G, position: { epoch: 'e', offset: 4 }, count: 4 }]);
});

test('a duplicate is logged twice', async () => {
  ask({ cmd: 'add_group', id: 1, group_id: 'g' });
  const events = await logAfter(ACK, MESSAGE, MESSAGE);
  expect(events.slice(1)).toEqual([RECEIVED, RECEIVED]);
});

test('a message of a group that was never joined is logged', async () => {
  expect(await logAfter(MESSAGE)).toEqual([{ ...RECEIVED, position: { epoch: 'none', offset: 5 } }]);
});

test('an answer that the SDK ignores after a later request is not logged', async () => {
  ask({ cmd: 'add_group', id: 1, group_id: 'g' });
  ask({ cmd: 'leave_group', id: 2, group_id: 'g' });
  expect(await logAfter(ACK, MESSAGE, { type: 'ack', id: 2, group_id: 'g' })).toEqual([
    { type: 'leave', ...IN_G },
  ]);
});

test('nothing is logged after a close by the SDK', async () => {
  ask({ cmd: 'add_group', id: 1, group_id: 'g' });
  await logAfter(ACK);
  client.close(1000);
  gateway.send(JSON.stringify(MESSAGE));
  await once(client, 'close');
  expect(log.events).toHaveLength(1);
  expect(tap.closes.map(({ code }) => code)).toEqual([1000]);
});

test('a connection starts without groups, and a failed attempt does not count', async () => {
  ask({ cmd: 'add_group', id: 1, group_id: 'g' });
  await logAfter(ACK);
  client.terminate();
  await once(client, 'close');
  expect(tap.groups.size).toBe(0);
  expect(tap.closes.map(({ code }) => code)).toEqual([1006]);
  const Tapped = tappedWebSocket(tap, () => 'ws://127.0.0.1:1');
  const failing = new Tapped('', []) as unknown as WebSocket;
  failing.on('error', () => {});
  await new Promise((resolve) => failing.on('close', resolve));
  expect(tap.closes).toHaveLength(1);
  expect(tap.openedAt).toHaveLength(1);
});

test('groups of the server are joined at the position of welcome, or of resume', async () => {
  ask({ cmd: 'resume', positions: { resumed: { epoch: 'e', offset: 2 } } });
  const position = { epoch: 'e', offset: 9 };
  const events = await logAfter(
    { type: 'welcome', joined: ['new', 'resumed'].map((group_id) => ({ group_id, ...position })) },
    { type: 'joined', group_id: 'resumed', ...position, recovered: true },
    { type: 'joined', group_id: 'late', ...position },
  );
  expect(events).toEqual([
    { type: 'join', member: 'm1', group: 'new', position },
    {
      type: 'join',
      member: 'm1',
      group: 'resumed',
      position,
      recovered: true,
      since: { epoch: 'e', offset: 2 },
    },
    { type: 'join', member: 'm1', group: 'late', position },
  ]);
});
