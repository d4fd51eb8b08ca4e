import { GroupcastClient, type GroupcastClientOptions, type Message } from '@groupcast/client';
import {
  EventQueue,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';

const SHORT_HISTORY = 20;

let hub: TestHub;
let gateway: TestGateway;
const clients: GroupcastClient[] = [];

beforeAll(async () => {
  hub = await startHub({ historyCount: SHORT_HISTORY });
  gateway = await startGateway({ hub: hub.address, workers: 2, drainSeconds: 0 });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(killAll);

function connect(options: Partial<GroupcastClientOptions> = {}): GroupcastClient {
  const client = new GroupcastClient(gateway.url, { WebSocket, reconnectMaxMs: 1_000, ...options });
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

/** Kills all workers, and resolves when the client is connected again. */
async function killWorkers(client: GroupcastClient): Promise<void> {
  const back = new Promise<void>((resolve) => {
    client.on('state', ({ state }) => state === 'open' && resolve());
  });
  for (const { pid } of (await gateway.stats()).workers) process.kill(pid, 'SIGKILL');
  await back;
}

test('members receive their own and all other messages, with position and sender', async () => {
  const [alice, bob] = [connect(), connect()];
  const messages = messagesOf(bob, '123');
  await bob.group('123').join();
  const first = await alice.group(123).send('from Alice');
  const second = await bob.group('123').send('from Bob');
  expect(await messages.next()).toEqual({
    groupId: '123',
    ...first,
    message: 'from Alice',
    from: { clientId: alice.clientId },
    at: expect.closeTo(Date.now(), -5),
  });
  expect(await messages.next()).toMatchObject({ ...second, from: { clientId: bob.clientId } });
  await bob.group('123').leave();
  await alice.group('123').send('after');
  expect(messages.rest).toEqual([]);
});

test('plain clients and the SDK share groups', async () => {
  const plain = await TestClient.open(gateway.url);
  plain.sendCommand({ cmd: 'add_group', group_id: 'mixed', id: 1 });
  await plain.reply(1);
  const client = connect();
  const messages = messagesOf(client, 'mixed');
  await client.group('mixed').join();
  await client.group('mixed').send('これはメッセージです');
  expect((await plain.next()).text).toBe('これはメッセージです');
  plain.sendCommand({ cmd: 'send_to_group', group_id: 'mixed', message: 'from the plain one' });
  expect(await texts(messages, 2)).toEqual(['これはメッセージです', 'from the plain one']);
  await plain.close();
});

test('through the death of all workers no message is lost, none comes twice, and the client is the same', async () => {
  const [member, publisher] = [connect(), connect()];
  const group = member.group('crash');
  const messages = messagesOf(member, 'crash');
  await group.join();
  await publisher.group('crash').send('0');
  const { clientId } = member;
  const joined = new EventQueue<unknown>('joined');
  group.on('joined', (event) => joined.push(event));

  const killed = killWorkers(member);
  const sent = Array.from({ length: SHORT_HISTORY }, (_, index) =>
    publisher.group('crash').send(`${index + 1}`),
  );
  await killed;
  const positions = await Promise.all(sent);
  expect(new Set(positions.map(({ offset }) => offset)).size).toBe(SHORT_HISTORY);
  const read = [await messages.next()];
  while (read.length <= SHORT_HISTORY) read.push(await messages.next());
  expect(read.map(({ offset }) => offset)).toEqual(read.map((_, index) => (read[0]?.offset ?? 0) + index));
  expect(new Set(read.map(({ message }) => message)).size).toBe(SHORT_HISTORY + 1);
  expect(await joined.next()).toMatchObject({ recovered: true });
  expect(member.clientId).toBe(clientId);
});

test('a stored position is recovered from; one that is too old is reported as a gap', async () => {
  const publisher = connect().group('kept');
  const since = await publisher.send('known');
  await publisher.send('missed');
  const inTime = connect();
  const messages = messagesOf(inTime, 'kept');
  inTime.group('kept').on('gap', () => expect.unreachable());
  expect(await inTime.group('kept').join({ since })).toEqual({ position: since, recovered: true });
  expect((await messages.next()).message).toBe('missed');

  for (let count = 0; count <= SHORT_HISTORY; count += 1) await publisher.send(`${count}`);
  const late = connect().group('kept');
  const gap = new Promise((resolve) => late.on('gap', resolve));
  const joined = await late.join({ since });
  expect(joined).toMatchObject({ recovered: false, reason: 'trimmed' });
  expect(await gap).toEqual({ reason: 'trimmed', position: joined.position });
});

test('a message that is excluded from its sender reaches the others, and the sender recovers from behind it', async () => {
  const [sender, other] = [connect(), connect()];
  const [own, others] = [messagesOf(sender, 'not-me'), messagesOf(other, 'not-me')];
  await Promise.all([sender.group('not-me').join(), other.group('not-me').join()]);
  const position = await sender.group('not-me').send('hidden', { excludeSelf: true });
  expect((await others.next()).message).toBe('hidden');
  expect(sender.group('not-me').position).toEqual(position);
  await killWorkers(sender);
  await other.group('not-me').send('shown');
  expect((await own.next()).message).toBe('shown');
});

test('joinWithState: what is published while the application loads follows its data, once', async () => {
  const publisher = connect().group('state');
  const stored: string[] = [];
  const publish = async (text: string): Promise<void> => {
    stored.push(text);
    await publisher.send(text);
  };
  await publish('before');
  const client = connect();
  let data: string[] = [];
  let loadedTo = 0;
  const after: Message[] = [];
  client.group('state').on('message', (message) => after.push(message));
  await client.group('state').joinWithState(async ({ position }) => {
    loadedTo = position.offset;
    await publish('while it loads');
    data = stored.slice(0, 1);
  });
  await publish('after');
  await until(() => after.length === 2, 'both messages');
  expect(data).toEqual(['before']);
  expect(after.map(({ message }) => message)).toEqual(['while it loads', 'after']);
  expect(after[0]?.offset).toBe(loadedTo + 1);
});

test('a hub that was started again causes a gap, on connections that stay open', async () => {
  const client = connect();
  const states: string[] = [];
  const group = client.group('hub');
  await group.join();
  const gap = new Promise((resolve) => group.on('gap', resolve));
  client.on('state', ({ state }) => states.push(state));
  const before = await group.send('before');
  await hub.kill();
  const sent = group.send('while it is away');
  hub = await startHub({ port: hub.port, adminPort: hub.adminPort, historyCount: SHORT_HISTORY });
  const after = await sent;
  expect(after.epoch).not.toBe(before.epoch);
  expect(await gap).toMatchObject({ reason: 'epoch_changed', position: { epoch: after.epoch } });
  expect(states).toEqual([]);
});
