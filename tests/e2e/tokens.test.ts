import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GroupcastClient,
  type GroupcastClientOptions,
  type Message,
  type TokenRequest,
} from '@groupcast/client';
import { HubClient } from '@groupcast/hub-client';
import {
  EventQueue,
  killAll,
  startGateway,
  startHub,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { signToken } from '@groupcast/testkit/in-process';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';

// The SDK with tokens, on a real gateway with two workers.

const SECRET = 'a secret of forty bytes for tests only!!';

/** Claims beside `sub` and `exp`. */
interface Claims {
  readonly lifeSeconds?: number;
  readonly can?: Readonly<Record<string, readonly string[]>>;
  readonly join?: readonly string[];
  readonly key?: string;
}

let folder: string;
let hub: TestHub;
let gateway: TestGateway;
const clients: GroupcastClient[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'groupcast-tokens-'));
  const tokenSecretFile = join(folder, 'secret');
  writeFileSync(tokenSecretFile, SECRET, { mode: 0o600 });
  hub = await startHub();
  gateway = await startGateway({
    hub: hub.address,
    workers: 2,
    drainSeconds: 0,
    auth: 'token',
    tokenSecretFile,
  });
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true });
});

function tokenOf(
  sub: string,
  { lifeSeconds = 3_600, can = { '*': ['*'] }, join: groups, key = SECRET }: Claims = {},
) {
  const exp = Math.floor(Date.now() / 1_000) + lifeSeconds;
  return signToken({ sub, exp, groupcast: { can, ...(groups && { join: groups }) } }, { key });
}

function connect(options: Partial<GroupcastClientOptions>): GroupcastClient {
  const client = new GroupcastClient(gateway.url, { WebSocket, reconnectMaxMs: 100, ...options });
  clients.push(client);
  return client;
}

/** Resolves with the error of a client that has ended for good. */
function ended(client: GroupcastClient): Promise<GroupcastClient['error']> {
  return new Promise((resolve) => {
    client.on('state', ({ state, error }) => state === 'closed' && resolve(error));
  });
}

/** A `getToken` with these tokens in order, the last one again and again, and its reasons. */
function source(...tokens: (() => string)[]) {
  const reasons = new EventQueue<string>('getToken');
  const all: string[] = [];
  const getToken = ({ reason }: TokenRequest): string => {
    all.push(reason);
    reasons.push(reason);
    return (tokens[Math.min(all.length, tokens.length) - 1] as () => string)();
  };
  return { getToken, reasons, all };
}

test('a client with a token joins and sends, and messages have the user of their sender', async () => {
  const [ann, bob] = [connect({ token: tokenOf('ann') }), connect({ getToken: () => tokenOf('bob') })];
  const messages = new EventQueue<Message>('message');
  bob.group('g').on('message', (message) => messages.push(message));
  await bob.group('g').join();
  await ann.group('g').send('hi');
  expect(await messages.next()).toMatchObject({
    message: 'hi',
    from: { clientId: ann.clientId, uid: 'ann' },
  });
  expect([ann.uid, bob.uid]).toEqual(['ann', 'bob']);
});

test('what the token does not allow is forbidden, with group and operation, and closes nothing', async () => {
  const client = connect({ token: tokenOf('ann', { can: { 'open:*': ['join'], '{uid}': ['publish'] } }) });
  const told: object[] = [];
  client.on('forbidden', (event) => told.push(event));
  const forbidden = (operation: string) => ({ code: 'forbidden', operation });
  await client.group('open:1').join();
  await expect(client.group('open:1').send('hi')).rejects.toMatchObject(forbidden('publish'));
  await expect(client.group('closed').join()).rejects.toMatchObject(forbidden('join'));
  await expect(client.group('closed').history({ last: 1 })).rejects.toMatchObject(forbidden('history'));
  await expect(client.group('closed').joinWithState(() => {})).rejects.toMatchObject(forbidden('info'));
  await client.group('ann').send('to myself');
  expect(told).toEqual([
    { groupId: 'open:1', operation: 'publish' },
    { groupId: 'closed', operation: 'join' },
    { groupId: 'closed', operation: 'history' },
    { groupId: 'closed', operation: 'info' },
  ]);
  expect(client.state).toBe('open');
});

test('a token with a wrong signature is replaced once, then the client ends with 4501', async () => {
  const { getToken, all } = source(() => tokenOf('ann', { key: 'another secret of at least 32 bytes' }));
  expect(await ended(connect({ getToken }))).toMatchObject({ code: 'disconnected', closeCode: 4501 });
  expect(all).toEqual(['connect', 'rejected']);
});

test('an expired token without getToken ends the client with token_expired', async () => {
  const client = connect({ token: tokenOf('ann', { lifeSeconds: -60 }) });
  expect(await ended(client)).toMatchObject({ code: 'token_expired', closeCode: 4010 });
});

test('an expired token is replaced by getToken', async () => {
  const { getToken, all } = source(
    () => tokenOf('ann', { lifeSeconds: -60 }),
    () => tokenOf('ann'),
  );
  const client = connect({ getToken });
  await client.group('g').join();
  expect([client.uid, all]).toEqual(['ann', ['connect', 'expired']]);
});

test('after the death of all workers the client comes back with its token, and misses nothing', async () => {
  const { getToken, all } = source(() => tokenOf('ann'));
  const [ann, bob] = [connect({ getToken }), connect({ token: tokenOf('bob') })];
  const messages = new EventQueue<Message>('message');
  ann.group('g').on('message', (message) => messages.push(message));
  await ann.group('g').join();
  const { clientId } = ann;
  const ends = new EventQueue<object>('disconnected');
  ann.on('disconnected', (end) => ends.push(end));
  for (const { pid } of (await gateway.stats()).workers) process.kill(pid, 'SIGKILL');
  expect(await ends.next()).toMatchObject({ code: 1006, reconnects: true });
  await bob.group('g').send('one');
  await bob.group('g').send('two');
  expect([(await messages.next()).message, (await messages.next()).message]).toEqual(['one', 'two']);
  expect([ann.clientId, ann.uid, all]).toEqual([clientId, 'ann', ['connect']]);
});

test('a message to the user arrives at all its clients without a join, and is recovered', async () => {
  const server = new HubClient({ host: '127.0.0.1', port: hub.port });
  server.connect();
  onTestFinished(() => server.close());
  const all = [connect({ token: tokenOf('carl') }), connect({ token: tokenOf('carl') })];
  const inboxes = all.map((client) => {
    const messages = new EventQueue<Message>('userMessage');
    client.on('userMessage', (message) => messages.push(message));
    return messages;
  });
  await Promise.all(
    all.map((client) => new Promise((resolve) => client.group('$user').once('joined', resolve))),
  );
  await server.sendToUser('carl', 'one');
  for (const inbox of inboxes) expect(await inbox.next()).toMatchObject({ message: 'one', groupId: '$user' });
  for (const client of all) client.suspend();
  await server.sendToUser('carl', 'two');
  for (const client of all) client.resume();
  for (const inbox of inboxes) expect(await inbox.next()).toMatchObject({ message: 'two' });
});

test('groups of the token are joined at connect, and recovered after a lost connection', async () => {
  const [ann, bob] = [
    connect({ token: tokenOf('ann', { join: ['news'] }) }),
    connect({ token: tokenOf('bob') }),
  ];
  const messages = new EventQueue<Message>('message');
  const joins = new EventQueue<object>('joined');
  ann.on('joined', ({ groupId, recovered }) => groupId === 'news' && joins.push({ recovered }));
  ann.group('news').on('message', (message) => messages.push(message));
  expect(await joins.next()).toEqual({ recovered: undefined });
  await bob.group('news').send('one');
  expect((await messages.next()).message).toBe('one');
  ann.suspend();
  await bob.group('news').send('two');
  ann.resume();
  expect((await messages.next()).message).toBe('two');
  expect(await joins.next()).toEqual({ recovered: true });
});

test('a refresh replaces the token on the open connection, and takes away what it does not allow', async () => {
  const { getToken, reasons } = source(
    () => tokenOf('ann', { lifeSeconds: 3 }),
    () => tokenOf('ann', { can: { 'open:*': ['*'] } }),
  );
  const client = connect({ getToken });
  const ends: unknown[] = [];
  client.on('disconnected', (end) => ends.push(end));
  const removed = new EventQueue<object>('removed');
  client.on('removed', (event) => removed.push(event));
  await Promise.all([client.group('open:1').join(), client.group('closed').join()]);
  expect([await reasons.next(), await reasons.next()]).toEqual(['connect', 'refresh']);
  expect(await removed.next()).toEqual({ groupId: 'closed', reason: 'permission' });
  await client.group('open:1').send('hi');
  await expect(client.group('closed').join()).rejects.toMatchObject({ code: 'forbidden', operation: 'join' });
  expect([ends, client.group('open:1').state]).toEqual([[], 'joined']);
});

test('a computer that slept past the expiry comes back with one getToken, and misses nothing', async () => {
  const { getToken, all } = source(() => tokenOf('ann'));
  const [ann, bob] = [connect({ getToken }), connect({ token: tokenOf('bob') })];
  const messages = new EventQueue<Message>('message');
  ann.group('g').on('message', (message) => messages.push(message));
  await ann.group('g').join();
  ann.suspend();
  await bob.group('g').send('missed');
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * 3_600_000 });
  ann.resume();
  expect((await messages.next()).message).toBe('missed');
  expect(all).toEqual(['connect', 'expired']);
});

test('a moderator kicks and bans a user, which is told and kept out until the end of the ban', async () => {
  const can = { '*': ['join', 'publish'] };
  const [ann, bob] = [connect({ token: tokenOf('ann') }), connect({ token: tokenOf('bob', { can }) })];
  const removed = new EventQueue<object>('removed');
  bob.on('removed', (event) => removed.push(event));
  const moderated = ann.group('moderated');
  await bob.group('moderated').join();
  await moderated.kick('bob', { reason: 'Calm down.' });
  expect(await removed.next()).toEqual({ groupId: 'moderated', reason: 'Calm down.' });
  await bob.group('moderated').join();
  await moderated.ban('bob', { reason: 'Spam.' });
  expect(await removed.next()).toEqual({ groupId: 'moderated', reason: 'Spam.' });
  await expect(bob.group('moderated').join()).rejects.toMatchObject({ code: 'forbidden' });
  await moderated.unban('bob');
  await until(() => bob.group('moderated').join(), 'the end of the ban');
  await expect(bob.group('moderated').kick('ann')).rejects.toMatchObject({
    code: 'forbidden',
    operation: 'manage',
  });
});

test('a gateway without --auth ignores the token', async () => {
  const open = await startGateway({ hub: hub.address });
  const client = new GroupcastClient(open.url, { WebSocket, token: tokenOf('ann') });
  clients.push(client);
  await client.group('g').join();
  expect(client.uid).toBeUndefined();
});
