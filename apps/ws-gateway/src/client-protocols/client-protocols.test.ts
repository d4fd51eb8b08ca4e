import { once } from 'node:events';
import { encodeText } from '@groupcast/protocol';
import { CLIENT_SUBPROTOCOL_V1, CLIENT_SUBPROTOCOL_V1_AT } from '@groupcast/protocol/schema';
import { TEXT_FIELDS, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StartedGateway, startGateway } from '../../testing/start-gateway.ts';
import { TestClient } from '../../testing/test-client.ts';
import { CLIENT_PROTOCOLS, chooseProtocol } from './client-protocols.ts';
import { PLAIN } from './plain/protocol.ts';
import { V1, V1_AT } from './v1/protocol.ts';

const ID = expect.any(String);
const LIMITS = expect.objectContaining({ groups: 128 });
const HEARTBEAT = { interval_ms: 25_000, timeout_ms: 10_000 };

const TIME_MS = 1_790_000_000_000;

/** Messages of `groupcast.v1` in the situations of this suite. */
const V1_EVENTS = {
  welcome: [{ type: 'welcome', client_id: ID, session: ID, heartbeat: HEARTBEAT, limits: LIMITS }],
  message: [{ type: 'message', group_id: 'g', offset: 1, message: 'hello', from: { client_id: 'sender' } }],
  ephemeral: [{ type: 'message', group_id: 'g', message: 'typing', from: { client_id: 'sender' } }],
  gap: [{ type: 'gap', group_id: 'g', reason: 'epoch_changed', epoch: 'epoch-2', offset: 0 }],
  joined: [{ type: 'joined', group_id: 'g', epoch: 'epoch-1', offset: 0 }],
  removed: [{ type: 'removed', group_id: 'g', reason: 'over' }],
  resume: { type: 'ack', id: 'after' },
  heartbeat: [{ type: 'ping' }],
  goodbye: [
    {
      type: 'disconnect',
      code: 1012,
      reason: 'The server restarts. Connect again.',
      reconnect: true,
      reconnect_after_ms: expect.any(Number),
    },
  ],
};

/** Messages of each protocol in the same situations. Events are parsed, texts are not. */
const PROTOCOLS = [
  {
    protocol: PLAIN,
    welcome: [],
    message: ['hello'],
    ephemeral: ['typing'],
    gap: [],
    joined: [],
    removed: [],
    resume: { type: 'error', id: 'after', code: 'bad_field', message: ID },
    heartbeat: ['WebSocket ping'],
    goodbye: [],
  },
  { protocol: V1, ...V1_EVENTS },
  {
    protocol: V1_AT,
    ...V1_EVENTS,
    message: V1_EVENTS.message.map((message) => ({ ...message, at: TIME_MS })),
    ephemeral: V1_EVENTS.ephemeral.map((message) => ({ ...message, at: TIME_MS })),
  },
];

let started: StartedGateway;
let client: TestClient;
let received: unknown[];

beforeEach(async () => {
  started = await startGateway();
});

afterEach(async () => {
  await started.gateway.close();
});

async function connect(subprotocol: string | undefined): Promise<void> {
  client = new TestClient(started.url, subprotocol === undefined ? [] : [subprotocol]);
  received = [];
  client.ws.on('message', (data) => received.push(parsed(String(data))));
  client.ws.on('ping', () => received.push('WebSocket ping'));
  await once(client.ws, 'open');
  await acked('connected');
}

function parsed(text: string): unknown {
  return text.startsWith('{') ? JSON.parse(text) : text;
}

/** Resolves when everything that was sent to the client before has arrived. */
async function acked(id: string, command: object = { cmd: 'ping' }): Promise<void> {
  client.send({ ...command, id });
  await untilTurn(() => received.some((event) => (event as { id?: unknown }).id === id));
}

/** Returns what arrives at the client from `act` to the reply of a later command. */
async function receivedFrom(act: () => unknown): Promise<unknown[]> {
  received.length = 0;
  await act();
  await acked('after');
  return received.slice(0, -1);
}

function join(): Promise<void> {
  return acked('join', { cmd: 'add_group', group_id: 'g' });
}

test('the suite has a row for every protocol', () => {
  expect(PROTOCOLS.map(({ protocol }) => protocol)).toEqual(expect.arrayContaining([...CLIENT_PROTOCOLS]));
  expect(PROTOCOLS).toHaveLength(CLIENT_PROTOCOLS.length);
});

test.each([
  [[], PLAIN],
  [['chat'], PLAIN],
  [[CLIENT_SUBPROTOCOL_V1], V1],
  [['chat', CLIENT_SUBPROTOCOL_V1], V1],
  [[CLIENT_SUBPROTOCOL_V1_AT], V1_AT],
  [[CLIENT_SUBPROTOCOL_V1_AT, CLIENT_SUBPROTOCOL_V1], V1_AT],
])('a client that offers %j gets a protocol', (offered, protocol) => {
  expect(chooseProtocol(offered)).toBe(protocol);
});

describe.each(PROTOCOLS)('a client of $protocol.name', ({ protocol, ...expected }) => {
  beforeEach(() => connect(protocol.subprotocol));

  test('is offered the subprotocol, and gets the welcome', () => {
    expect(client.ws.protocol).toBe(protocol.subprotocol ?? '');
    expect(received.slice(0, -1)).toEqual(expected.welcome);
    expect(started.gateway.connections()).toMatchObject([{ protocol: protocol.name }]);
  });

  test('gets the ack of a join', async () => {
    const ack = { type: 'ack', id: 'join', group_id: 'g', epoch: 'epoch-1', offset: 0 };
    expect(await receivedFrom(join)).toEqual([ack]);
  });

  test('gets a message', async () => {
    await join();
    const events = await receivedFrom(() => {
      const fields = { channel: 'group:g', ...TEXT_FIELDS, sender: 'sender', number: 1, timeMs: TIME_MS };
      started.hub.deliver({ ...fields, payload: encodeText('hello') });
      return untilTurn(() => started.gateway.stats().delivered === 1);
    });
    expect(events).toEqual(expected.message);
  });

  test('gets an ephemeral message', async () => {
    await join();
    started.hub.now = () => TIME_MS;
    const events = await receivedFrom(() => {
      started.hub.publish('group:g', 'typing', { sender: 'sender', ephemeral: true });
      return untilTurn(() => started.gateway.stats().delivered === 1);
    });
    expect(events).toEqual(expected.ephemeral);
  });

  test('gets the ack of a history', async () => {
    const ask = { cmd: 'history', group_id: 'g', last: 1 };
    const ack = { type: 'ack', id: 'history', group_id: 'g', epoch: 'epoch-1', offset: 0 };
    expect(await receivedFrom(() => acked('history', ask))).toEqual([
      { ...ack, verdict: 'recovered', read_offset: 0, messages: [] },
    ]);
  });

  test('gets what it is to know of joins and removals by the server', async () => {
    const clientId = started.gateway.connections()[0]?.clientId ?? '';
    const joined = await receivedFrom(async () => {
      started.gateway.joinGroup(clientId, 'g');
      await acked('join', { cmd: 'add_group', group_id: 'g' });
    });
    expect(joined.slice(0, -1)).toEqual(expected.joined);
    expect(joined.at(-1)).toMatchObject({ type: 'ack', id: 'join', offset: 0 });
    const removed = await receivedFrom(() => started.gateway.removeFromGroup(clientId, 'g', 'over'));
    expect(removed).toEqual(expected.removed);
  });

  test('may begin with a resume, or may not', async () => {
    client = new TestClient(started.url, protocol.subprotocol === undefined ? [] : [protocol.subprotocol]);
    await once(client.ws, 'open');
    if (expected.welcome.length > 0) await client.event();
    expect(await client.ask({ cmd: 'resume', positions: {}, id: 'after' })).toEqual(expected.resume);
  });

  test('gets an error', async () => {
    const error = { type: 'error', id: 1, code: 'unknown_command', message: ID };
    expect(await receivedFrom(() => client.send({ cmd: 'dance', id: 1 }))).toEqual([error]);
  });

  test('gets an error for bad input', async () => {
    const error = { type: 'error', code: 'bad_json', message: ID };
    expect(await receivedFrom(() => client.send('not JSON'))).toEqual([error]);
  });

  test('gets a gap event when messages are lost', async () => {
    await join();
    const events = await receivedFrom(() => {
      started.hub.restart('epoch-2');
      started.hub.comeBack();
    });
    expect(events).toEqual(expected.gap);
    expect(started.gateway.stats().gaps).toBe(expected.gap.length);
  });

  test('gets a heartbeat after 25 s of silence', async () => {
    received.length = 0;
    started.advance(25);
    await untilTurn(() => received.length > 0);
    expect(received).toEqual(expected.heartbeat);
  });

  test('gets a goodbye before the close frame', async () => {
    received.length = 0;
    const drained = started.gateway.drain({ windowMs: 0, reason: 'restart' });
    await expect(client.ended).resolves.toMatchObject({ code: 1012 });
    await drained;
    expect(received).toEqual(expected.goodbye);
  });
});
