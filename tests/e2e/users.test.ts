import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubClient } from '@groupcast/hub-client';
import {
  type AppFlags,
  type JsonObject,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { signToken } from '@groupcast/testkit/in-process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openOnAll } from './open-on-all.ts';
import { statsOfAll } from './stats-of-all.ts';

const SECRET = 'a secret of 32 bytes for tokens.';

let folder: string;
let hub: TestHub;
let publisher: HubClient;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'users-'));
  writeFileSync(join(folder, 'secret'), SECRET);
});
beforeEach(async () => {
  hub = await startHub();
  publisher = new HubClient({ port: hub.port });
  publisher.connect();
});
afterEach(async () => {
  publisher.close();
  await hub.kill();
});
afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true });
});

function start(flags: AppFlags = {}): Promise<TestGateway> {
  const tokenSecretFile = join(folder, 'secret');
  return startGateway({ hub: hub.address, auth: 'token', tokenSecretFile, ...flags });
}

function tokenOf(uid: string): string {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  return signToken({ sub: uid, exp, groupcast: { can: { '*': ['*'] } } }, { key: SECRET });
}

interface OpenOptions {
  readonly protocol?: 'groupcast.v1' | 'groupcast.v1.at' | undefined;
  readonly session?: string;
}

/** Opens a connection of a user. Without `protocol` it is in plain mode. */
function open(gateway: TestGateway, uid: string, { protocol, session }: OpenOptions): Promise<TestClient> {
  const headers = { authorization: `Bearer ${tokenOf(uid)}` };
  if (protocol === undefined) return TestClient.open(gateway.url, { headers });
  const offered = session === undefined ? [protocol] : [protocol, `groupcast.session.${session}`];
  return TestClient.open(gateway.url, { headers, protocol: offered });
}

interface Joined {
  readonly client: TestClient;
  readonly session: string;
  readonly clientId: string;
  /** Position after which the messages to the user come. */
  readonly position: { readonly epoch: string; readonly offset: number };
}

/** Opens a connection, and resolves when it gets the messages to its user. */
async function joined(
  gateway: TestGateway,
  uid = 'ann',
  options: OpenOptions = { protocol: 'groupcast.v1' },
): Promise<Joined> {
  const client = await open(gateway, uid, options);
  const welcome = (await client.next()).json ?? {};
  expect(welcome).toMatchObject({ type: 'welcome', uid });
  const position = welcome['user'] ?? (await eventOfUser(client, 'joined'));
  // Its reply comes from the hub, behind those to the subscriptions of this worker.
  client.sendCommand({ cmd: 'group_info', group_id: 'g', id: 'info' });
  await client.reply('info');
  const { epoch, offset } = position as { epoch: string; offset: number };
  const { session, client_id: clientId } = welcome as { session: string; client_id: string };
  return { client, session, clientId, position: { epoch, offset } };
}

/** Takes the next event of this type that is of the user. */
async function eventOfUser(client: TestClient, type: string): Promise<JsonObject> {
  const message = await client.nextMatching(({ json }) => json?.['type'] === type && json['user'] === true);
  return message.json ?? {};
}

/** Takes the texts of the next messages to the user. */
async function textsToUser(client: TestClient, count: number): Promise<unknown[]> {
  const texts: unknown[] = [];
  while (texts.length < count) texts.push((await eventOfUser(client, 'message'))['message']);
  return texts;
}

async function send(...texts: string[]): Promise<void> {
  for (const text of texts) await publisher.sendToUser('ann', text);
}

/** Resolves with the numbers of channels and subscriptions of the hub. */
async function traces(): Promise<object> {
  const { channels, subscriptions } = await hub.stats();
  return { channels, subscriptions };
}

describe('a message to a user', () => {
  test('reaches each connection of the user once, on three workers of two gateways, and no other worker', async () => {
    const [two, one, other] = await Promise.all([start({ workers: 2 }), start(), start()]);
    const openAnn = async (gateway: TestGateway): Promise<TestClient> => (await joined(gateway)).client;
    const clients = await openOnAll(two, 2, 3, () => openAnn(two));
    clients.push(await openAnn(one));
    const bob = (await joined(other, 'bob')).client;
    await send('1', '2', '3');
    for (const client of clients) expect(await textsToUser(client, 3)).toEqual(['1', '2', '3']);
    for (const client of [...clients, bob]) {
      client.sendCommand({ cmd: 'group_info', group_id: 'g', id: 'end' });
      await client.reply('end');
      expect(client.messages.rest).toEqual([]);
    }
    const publications = async (gateway: TestGateway, workers: number): Promise<unknown[]> =>
      (await statsOfAll(gateway, workers)).workers.map((worker) => worker['publications']);
    expect(await publications(two, 2)).toEqual([3, 3]);
    expect(await publications(one, 1)).toEqual([3]);
    expect(await publications(other, 1)).toEqual([0]);
  });

  test('has the form of each protocol, also without history', async () => {
    const gateway = await start();
    const { client: v1 } = await joined(gateway);
    const { client: timed } = await joined(gateway, 'ann', { protocol: 'groupcast.v1.at' });
    const plain = await open(gateway, 'ann', {});
    plain.sendCommand({ cmd: 'group_info', group_id: 'g', id: 'info' });
    await plain.reply('info');
    await publisher.sendToUser('ann', '{"a":1}', { kind: 'json' });
    await publisher.sendToUser('ann', 'typing', { ephemeral: true });
    const message = { type: 'message', user: true, offset: 1, message: { a: 1 } };
    expect((await v1.next()).json).toEqual(message);
    expect((await v1.next()).json).toEqual({ type: 'message', user: true, message: 'typing' });
    expect((await timed.next()).json).toEqual({ ...message, at: expect.any(Number) });
    expect((await plain.next()).text).toBe('{"a":1}');
    expect((await plain.next()).text).toBe('typing');
  });

  test('is recovered after a lost connection, on another gateway', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    const { client, session, position, clientId } = await joined(first);
    await send('1');
    expect(await textsToUser(client, 1)).toEqual(['1']);
    client.terminate();
    await client.closed;
    await send('2', '3');
    const again = await open(second, 'ann', { protocol: 'groupcast.v1', session });
    expect((await again.next()).json).toMatchObject({ type: 'welcome', client_id: clientId });
    again.sendCommand({ cmd: 'resume', positions: { $user: { ...position, offset: 1 } } });
    expect(await eventOfUser(again, 'joined')).toMatchObject({ offset: 3, recovered: true });
    await send('4');
    expect(await textsToUser(again, 3)).toEqual(['2', '3', '4']);
  });

  test('is recovered after the death of a worker', async () => {
    const gateway = await start();
    const { client, session, position } = await joined(gateway);
    const [worker] = (await statsOfAll(gateway, 1)).workers;
    process.kill(worker?.pid ?? 0, 'SIGKILL');
    expect((await client.closed).code).toBe(1006);
    await send('1');
    await statsOfAll(gateway, 1);
    const again = await open(gateway, 'ann', { protocol: 'groupcast.v1', session });
    again.sendCommand({ cmd: 'resume', positions: { $user: position } });
    expect(await eventOfUser(again, 'joined')).toMatchObject({ offset: 1, recovered: true });
    expect(await textsToUser(again, 1)).toEqual(['1']);
  });

  test('may be lost with a restart of the hub, which is a gap', async () => {
    const gateway = await start();
    const { client } = await joined(gateway);
    await send('1');
    expect(await textsToUser(client, 1)).toEqual(['1']);
    await hub.kill();
    hub = await startHub({ port: hub.port, adminPort: hub.adminPort });
    expect(await eventOfUser(client, 'gap')).toMatchObject({ reason: 'epoch_changed', offset: 0 });
    await send('2');
    expect(await textsToUser(client, 1)).toEqual(['2']);
  });

  test('leaves no trace after the last connection of the user', async () => {
    const gateway = await start({ workers: 2, connectionsPerUid: 99 });
    // The workers have subscribed to what else they need, such as the bans, when bob is there.
    const bobs = await openOnAll(gateway, 2, 4, async () => (await joined(gateway, 'bob')).client);
    const before = await traces();
    const clients = await openOnAll(gateway, 2, bobs.length + 4, async () => (await joined(gateway)).client);
    await send('1');
    expect(await traces()).not.toEqual(before);
    await Promise.all(clients.map((client) => client.close()));
    const isAsBefore = (now: object): boolean => JSON.stringify(now) === JSON.stringify(before);
    await until(traces, 'the channels of the user to be gone', isAsBefore);
  });
});

describe('a limit of connections, over two gateways', () => {
  async function startTwo(connectionsPerUidPolicy: string): Promise<[TestGateway, TestGateway]> {
    const flags = { connectionsPerUid: 2, connectionsPerUidPolicy };
    return Promise.all([start({ ...flags, workers: 2 }), start(flags)]);
  }

  test('refuses the newest', async () => {
    const [first, second] = await startTwo('refuse');
    const kept = [await joined(first), await joined(second)];
    const bob = await joined(first, 'bob');
    const plain = await open(second, 'ann', {});
    expect((await plain.closed).code).toBe(4009);
    await send('1');
    for (const { client: one } of kept) expect(await textsToUser(one, 1)).toEqual(['1']);
    await bob.client.close();
  });

  test('replaces the oldest', async () => {
    const [first, second] = await startTwo('replace_oldest');
    const oldest = await joined(first);
    const kept = [await joined(second), await joined(first)];
    expect((await oldest.client.closed).code).toBe(4509);
    await send('1');
    for (const { client } of kept) expect(await textsToUser(client, 1)).toEqual(['1']);
  });

  test('lets a client that comes back take its own place', async () => {
    const [first, second] = await startTwo('refuse');
    const { client: lost, session, clientId } = await joined(first);
    const other = await joined(second);
    const again = await joined(second, 'ann', { protocol: 'groupcast.v1', session });
    expect(again.clientId).toBe(clientId);
    expect((await lost.closed).code).toBe(4509);
    await send('1');
    for (const { client } of [other, again]) expect(await textsToUser(client, 1)).toEqual(['1']);
  });
});
