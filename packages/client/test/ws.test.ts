import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseClientCommand } from '@groupcast/protocol/schema';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { GroupcastClient, type GroupcastError, type Message } from '../src/index.ts';
import { ModelGateway } from '../testing/model-gateway.ts';

let gateway: ModelGateway;
let server: WebSocketServer;
let url: string;
const clients: GroupcastClient[] = [];

beforeEach(async () => {
  gateway = new ModelGateway();
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'groupcast.v1' });
  server.on('connection', (socket, request) => {
    const offered = String(request.headers['sec-websocket-protocol']).split(',');
    const protocols = offered.map((protocol) => protocol.trim());
    const connection = gateway.connect(protocols, (event) => socket.send(JSON.stringify(event)));
    socket.on('message', (data) => connection.receive(parseClientCommand(String(data))));
    socket.on('close', () => connection.end());
  });
  await once(server, 'listening');
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const socket of server.clients) socket.terminate();
  await new Promise((resolve) => server.close(resolve));
});

function connect(): GroupcastClient {
  const client = new GroupcastClient(url, { WebSocket, reconnectMinMs: 20, reconnectMaxMs: 100 });
  clients.push(client);
  return client;
}

/** Resolves with the next `count` messages of a group. */
async function read(messages: AsyncIterator<Message>, count: number): Promise<unknown[]> {
  const texts: unknown[] = [];
  while (texts.length < count) texts.push((await messages.next()).value?.message);
  return texts;
}

test('over the WebSocket of ws: groups, receipts, and recovery after a cut', async () => {
  const [alice, bob] = [connect(), connect()];
  const group = bob.group('123');
  const messages = group[Symbol.asyncIterator]();
  await group.join();
  const first = await alice.group('123').send('これはメッセージです');
  const second = await alice.group('123').send('second');
  expect(second).toEqual({ epoch: first.epoch, offset: first.offset + 1 });
  expect(await read(messages, 2)).toEqual(['これはメッセージです', 'second']);

  const bobId = bob.clientId;
  const rejoined = new Promise((resolve) => group.on('joined', resolve));
  for (const socket of server.clients) socket.terminate();
  const sent = ['third', 'fourth'].map((text) => alice.group('123').send(text));
  await Promise.all(sent);
  expect(await rejoined).toEqual({ position: second, recovered: true });
  expect(await read(messages, 2)).toEqual(['third', 'fourth']);
  expect(bob.clientId).toBe(bobId);
});

test('a client that is closed before it is connected has no effect', async () => {
  const client = connect();
  client.close();
  const other = connect();
  await other.group('1').join();
  expect(client.state).toBe('closed');
});

test('a missing gateway is retried', async () => {
  const port = Number(new URL(url).port);
  await new Promise((resolve) => server.close(resolve));
  const client = connect();
  await new Promise<void>((resolve) => {
    client.on('state', ({ state, error }) => state === 'waiting' && error?.closeCode === 1006 && resolve());
  });
  const back = new WebSocketServer({ port, host: '127.0.0.1', handleProtocols: () => 'groupcast.v1' });
  back.on('connection', (socket) => gateway.connect([], (event) => socket.send(JSON.stringify(event))));
  await new Promise<void>((resolve) => {
    client.on('state', ({ state }) => state === 'open' && resolve());
  });
  client.close();
  await new Promise((resolve) => back.close(resolve));
});

test('a gateway that answers 503 is retried, and the error has the status', async () => {
  const refusing = createServer((_request, response) => response.writeHead(503).end());
  await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
  const { port } = refusing.address() as AddressInfo;
  const client = new GroupcastClient(`ws://127.0.0.1:${port}`, { WebSocket });
  clients.push(client);
  const states: string[] = [];
  const error = await new Promise<GroupcastError | undefined>((resolve) => {
    client.on('state', ({ state, error }) => {
      states.push(state);
      if (state === 'connecting') resolve(error);
    });
  });
  expect(error?.message).toContain('503');
  expect(states).toEqual(['waiting', 'connecting']);
  client.close();
  await new Promise((resolve) => refusing.close(resolve));
});

test('a group without references is collected', async () => {
  const client = connect();
  let kept: WeakRef<object> | undefined;
  (() => {
    kept = new WeakRef(client.group('once'));
  })();
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // A WeakRef holds its object until the end of the event-loop turn that has read it.
  for (let turn = 0; turn < 50 && kept?.deref() !== undefined; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  expect(kept?.deref()).toBeUndefined();
  expect(client.group('once').state).toBe('left');
});
