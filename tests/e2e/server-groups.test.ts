import { GroupcastClient, type Message } from '@groupcast/client';
import { createGateway, type Gateway } from '@groupcast/gateway';
import { HubClient } from '@groupcast/hub-client';
import { EventQueue, killAll, startHub, type TestHub, until } from '@groupcast/testkit';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';

// Two workers in this process, because groups of the server are an option of the library. Both sign
// sessions with one secret.

/** The group that the server joins for each client. */
const GROUP = 'everyone';

interface Worker {
  readonly gateway: Gateway;
  readonly hub: HubClient;
  readonly port: number;
}

let hub: TestHub;
let workers: Worker[] = [];
/** The worker to which new connections go. */
let target = 0;
const clients: GroupcastClient[] = [];

beforeEach(async () => {
  hub = await startHub();
  target = 0;
  workers = [await startWorker(), await startWorker()];
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(workers.map(stopWorker));
  await hub.kill();
});
afterAll(killAll);

async function startWorker(): Promise<Worker> {
  const client = new HubClient({ host: '127.0.0.1', port: hub.port });
  client.connect();
  const gateway = createGateway({
    hub: client,
    host: '127.0.0.1',
    port: 0,
    sessionSecret: 'a secret of both workers',
    groupsOnConnect: () => [GROUP],
  });
  return { gateway, hub: client, port: (await gateway.listen()).port };
}

async function stopWorker({ gateway, hub }: Worker): Promise<void> {
  await gateway.close();
  await hub.close();
}

/** A socket to the worker that is the target now. */
class TargetSocket extends WebSocket {
  constructor(_url: string, protocols: string[]) {
    super(`ws://127.0.0.1:${workers[target]?.port}`, protocols);
  }
}

function connect(): GroupcastClient {
  const client = new GroupcastClient('ws://target', { WebSocket: TargetSocket, reconnectMaxMs: 100 });
  clients.push(client);
  return client;
}

/** Connects a client, and resolves with the events of the group that the server joins for it. */
async function connectMember() {
  const client = connect();
  const joined = new EventQueue<object>('joined');
  const messages = new EventQueue<Message>('message');
  client.on('joined', (event) => joined.push(event));
  client.group(GROUP).on('message', (message) => messages.push(message));
  return { client, joined, messages, first: await joined.next() };
}

async function texts(queue: EventQueue<Message>, count: number): Promise<unknown[]> {
  const read: unknown[] = [];
  while (read.length < count) read.push((await queue.next()).message);
  return read;
}

test('the group of the server is joined without a command, and recovered on another worker', async () => {
  const { client, joined, messages, first } = await connectMember();
  expect(first).toMatchObject({ groupId: GROUP, position: { offset: 0 } });
  expect(client.group(GROUP).state).toBe('joined');
  target = 1;
  const publisher = connect().group(GROUP);
  await publisher.send('1');
  expect(await texts(messages, 1)).toEqual(['1']);
  const { clientId } = client;

  const [worker] = workers.splice(0, 1);
  target = 0;
  const stopped = worker && stopWorker(worker);
  await publisher.send('2');
  await publisher.send('3');
  expect(await joined.next()).toMatchObject({ groupId: GROUP, recovered: true });
  expect(await texts(messages, 2)).toEqual(['2', '3']);
  expect(client.clientId).toBe(clientId);
  await publisher.send('4');
  expect(await texts(messages, 1)).toEqual(['4']);
  await stopped;
});

test('a group that the application has joined too is recovered once', async () => {
  const { client, joined, messages } = await connectMember();
  const group = client.group(GROUP);
  await group.join();
  group.on('gap', () => expect.unreachable());
  await group.send('1');
  expect(await texts(messages, 1)).toEqual(['1']);
  client.suspend();
  target = 1;
  const publisher = connect().group(GROUP);
  await publisher.send('2');
  client.resume();
  expect(await joined.next()).toMatchObject({ recovered: true });
  await publisher.send('3');
  expect(await texts(messages, 2)).toEqual(['2', '3']);
  expect(messages.rest).toEqual([]);
});

test('a stored position is recovered, although the server joins the group first', async () => {
  const publisher = connect().group(GROUP);
  const since = await publisher.send('known');
  await publisher.send('missed');
  const client = connect();
  const messages = new EventQueue<Message>('message');
  client.group(GROUP).on('message', (message) => messages.push(message));
  client.group(GROUP).on('gap', () => expect.unreachable());
  expect(await client.group(GROUP).join({ since })).toEqual({ position: since, recovered: true });
  expect(await texts(messages, 1)).toEqual(['missed']);
});

test('a restart of the hub is a gap of the group of the server', async () => {
  const { client, messages } = await connectMember();
  const group = client.group(GROUP);
  const gap = new Promise((resolve) => group.on('gap', resolve));
  await group.send('before');
  expect(await texts(messages, 1)).toEqual(['before']);
  await hub.kill();
  hub = await startHub({ port: hub.port, adminPort: hub.adminPort });
  expect(await gap).toMatchObject({ reason: 'epoch_changed' });
  await group.send('after');
  expect((await messages.next()).message).toBe('after');
});

test('joinGroup, removeFromGroup and disconnect reach the application, with their reasons', async () => {
  const { client, joined } = await connectMember();
  const gateway = workers[0]?.gateway;
  const id = client.clientId ?? '';
  const removed = new EventQueue<object>('removed');
  client.on('removed', (event) => removed.push(event));
  expect(gateway?.joinGroup(id, '$user:7')).toBe(1);
  expect(await joined.next()).toMatchObject({ groupId: '$user:7' });
  expect(gateway?.removeFromGroup(id, '$user:7', 'The game is over.')).toBe(1);
  expect(await removed.next()).toEqual({ groupId: '$user:7', reason: 'The game is over.' });
  expect(client.group('$user:7').state).toBe('left');
  gateway?.disconnect(id, { reason: 'Your plan has ended.', reconnect: false });
  await until(() => client.state === 'closed', 'the end of the client');
  expect(client.error).toMatchObject({ code: 'disconnected', closeCode: 4503 });
  expect(client.error?.message).toContain('Your plan has ended.');
});
