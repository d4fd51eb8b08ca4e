import { GroupcastClient, type Message } from '@groupcast/client';
import {
  EventQueue,
  killAll,
  startGateway,
  startHub,
  type TestGateway,
  type TestHub,
} from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';

let hub: TestHub;
let gateway: TestGateway;
const clients: GroupcastClient[] = [];

beforeAll(async () => {
  hub = await startHub();
  gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0 });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(killAll);

function connect(): GroupcastClient {
  const client = new GroupcastClient(gateway.url, { WebSocket, reconnectMaxMs: 1_000 });
  clients.push(client);
  return client;
}

/** The messages of a group as they come. */
function messagesOf(client: GroupcastClient, id: string): EventQueue<Message> {
  const queue = new EventQueue<Message>('message');
  client.group(id).on('message', (message) => queue.push(message));
  return queue;
}

async function texts(queue: EventQueue<Message>, count: number): Promise<unknown[]> {
  const read: unknown[] = [];
  while (read.length < count) read.push((await queue.next()).message);
  return read;
}

async function publish(group: string, ...messages: readonly string[]): Promise<void> {
  const client = connect();
  for (const message of messages) await client.group(group).send(message);
}

/** Kills all workers, and resolves when the client is connected again. */
async function killWorkers(client: GroupcastClient): Promise<void> {
  const back = new Promise<void>((resolve) => {
    client.on('state', ({ state }) => state === 'open' && resolve());
  });
  for (const { pid } of (await gateway.stats()).workers) process.kill(pid, 'SIGKILL');
  await back;
}

/** Restarts the hub without its history. */
async function restartHub(): Promise<void> {
  await hub.kill();
  hub = await startHub({ port: hub.port, adminPort: hub.adminPort });
}

test('a join with last brings the newest messages, and what follows, through the death of all workers', async () => {
  const client = connect();
  const group = client.group('last');
  const messages = messagesOf(client, 'last');
  await publish('last', '1', '2', '3', '4');
  const { count, position } = await group.join({ last: 3 });
  expect(count).toBe(3);
  expect(await texts(messages, 3)).toEqual(['2', '3', '4']);
  expect(group.position?.offset).toBe(position.offset + 3);
  const killed = killWorkers(client);
  await publish('last', '5', '6');
  await killed;
  expect(await texts(messages, 2)).toEqual(['5', '6']);
});

test('a join with last of an empty group has the count 0', async () => {
  const client = connect();
  const messages = messagesOf(client, 'empty');
  expect(await client.group('empty').join({ last: 1 })).toMatchObject({ count: 0 });
  await publish('empty', 'first');
  expect(await texts(messages, 1)).toEqual(['first']);
});

test('history reads in pages, and a join continues at its position without a gap', async () => {
  const client = connect();
  const group = client.group('pages');
  const start = await group.send('0');
  await group.send('hidden', { excludeSelf: true });
  await publish('pages', '1', '2', '3');
  const read: unknown[] = [];
  let page = await group.history({ since: start, limit: 2 });
  for (;;) {
    expect(page.verdict).toBe('recovered');
    for (const { message, at } of page.messages) {
      read.push(message);
      expect(at).toBeGreaterThan(0);
    }
    if (!page.hasMore) break;
    page = await group.history({ since: page.position, limit: 2 });
  }
  expect(read).toEqual(['1', '2', '3']);
  const messages = messagesOf(client, 'pages');
  await publish('pages', '4');
  expect(await group.join({ since: page.position })).toMatchObject({ recovered: true });
  expect(await texts(messages, 1)).toEqual(['4']);
  expect((await group.history({ last: 2 })).messages.map(({ message }) => message)).toEqual(['3', '4']);
});

test('a read of history survives the death of all workers', async () => {
  const client = connect();
  await publish('read', 'kept');
  await client.group('read').history({ last: 1 });
  const killed = killWorkers(client);
  const page = await client.group('read').history({ last: 1 });
  expect(page.messages.map(({ message }) => message)).toEqual(['kept']);
  await killed;
});

test('an ephemeral message reaches members on all workers in order, and is in no history', async () => {
  const members = Array.from({ length: 4 }, connect);
  const inboxes = members.map((member) => messagesOf(member, 'typing'));
  await Promise.all(members.map((member) => member.group('typing').join()));
  const sender = connect().group('typing');
  const before = await sender.send('before');
  expect(await sender.send('typing', { store: false })).toBeUndefined();
  const after = await sender.send('after');
  expect(after.offset).toBe(before.offset + 1);
  for (const inbox of inboxes) {
    const [first, typing, last] = [await inbox.next(), await inbox.next(), await inbox.next()];
    expect([first.message, typing.message, last.message]).toEqual(['before', 'typing', 'after']);
    expect(typing.offset).toBeUndefined();
    expect(typing.at).toBeGreaterThanOrEqual(first.at ?? Number.NaN);
  }
  for (const member of members) expect(member.group('typing').position).toEqual(after);
  const { messages } = await sender.history({ last: 10 });
  expect(messages.map(({ message }) => message)).toEqual(['before', 'after']);
});

// Restarts the hub: last, because each group of the file loses its history.
test('after a restart of the hub, history says so, and ephemeral messages arrive again', async () => {
  const [member, sender] = [connect(), connect()];
  const messages = messagesOf(member, 'hub');
  await member.group('hub').join();
  const gap = new Promise((resolve) => member.group('hub').on('gap', resolve));
  const since = await sender.group('hub').send('lost');
  expect(await texts(messages, 1)).toEqual(['lost']);
  await restartHub();
  const stored = await sender.group('hub').send('stored');
  expect(await gap).toMatchObject({ reason: 'epoch_changed' });
  await sender.group('hub').send('typing', { store: false });
  for (let text: unknown; text !== 'typing'; ) text = (await messages.next()).message;
  expect(await sender.group('hub').history({ since })).toMatchObject({
    verdict: 'epoch_changed',
    messages: [],
    position: stored,
  });
});
