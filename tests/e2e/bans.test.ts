import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HubClient, openHubClient } from '@groupcast/hub-client';
import {
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { signToken } from '@groupcast/testkit/in-process';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openOnAll } from './open-on-all.ts';

const WORKERS = 4;
const ACTS_WITHIN_MS = 1_000;
const SECRET = 'a secret of tokens that has more than 32 bytes';
const NOW = Math.floor(Date.now() / 1_000);

let folder: string;
let hub: TestHub;
let gateways: readonly TestGateway[];
let admin: HubClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groupcast-bans-'));
  const tokenSecretFile = join(folder, 'secret');
  await writeFile(tokenSecretFile, SECRET, { mode: 0o600 });
  hub = await startHub();
  const flags = { hub: hub.address, workers: WORKERS, auth: 'token', tokenSecretFile };
  gateways = await Promise.all([startGateway(flags), startGateway(flags)]);
  admin = await openHubClient({ port: hub.port, reconnect: { minMs: 1, maxMs: 20 } });
});
afterAll(async () => {
  admin.close();
  await killAll();
  await rm(folder, { recursive: true });
});

let users = 0;
let ann: string;

beforeEach(() => {
  users += 1;
  ann = `ann ${users}`;
});

/** Opens a connection of a user, and does not wait for the welcome. */
function open(gateway: TestGateway, uid: string, iat = NOW): Promise<TestClient> {
  const claims = { sub: uid, iat, exp: NOW + 3_600, groupcast: { can: { '*': ['*'] } } };
  const token = signToken(claims, { key: SECRET });
  return TestClient.open(gateway.url, { protocol: ['groupcast.v1', `groupcast.token.${token}`] });
}

async function welcomed(gateway: TestGateway, uid: string, iat?: number): Promise<TestClient> {
  const client = await open(gateway, uid, iat);
  await client.messages.next(({ json }) => json?.['type'] === 'welcome');
  return client;
}

/** Opens connections of a user on every worker of both gateways. */
async function welcomedOnAll(uid: string): Promise<TestClient[]> {
  const opened = gateways.map((gateway) =>
    openOnAll(gateway, WORKERS, 2 * WORKERS, () => welcomed(gateway, uid)),
  );
  return (await Promise.all(opened)).flat();
}

async function closeAll(clients: readonly TestClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}

/** Close codes of new connections of a user, as many as both gateways have workers, and more. */
async function codesOf(uid: string, iat?: number): Promise<ReadonlySet<number>> {
  const codes = gateways.flatMap((gateway) =>
    Array.from({ length: 2 * WORKERS }, async () => (await (await open(gateway, uid, iat)).closed).code),
  );
  return new Set(await Promise.all(codes));
}

/** Does something, and resolves with the milliseconds until `all` have resolved. */
async function msUntil(act: () => Promise<unknown>, all: readonly Promise<unknown>[]): Promise<number> {
  const sinceMs = performance.now();
  await act();
  await Promise.all(all);
  return performance.now() - sinceMs;
}

test('a ban acts within a second on all workers of two gateways, and on clients that come back', async () => {
  const bob = await welcomedOnAll(`bob ${users}`);
  const clients = await welcomedOnAll(ann);
  const closes = clients.map(({ closed }) => closed);
  expect(await msUntil(() => admin.ban({ uid: ann }, { reason: 'Spam.' }), closes)).toBeLessThan(
    ACTS_WITHIN_MS,
  );
  expect(new Set((await Promise.all(closes)).map(({ code, reason }) => `${code} ${reason}`))).toEqual(
    new Set(['4511 Spam.']),
  );
  expect(await codesOf(ann)).toEqual(new Set([4511]));
  for (const client of bob) {
    client.sendCommand({ cmd: 'ping', id: 'here' });
    expect(await client.reply('here')).toMatchObject({ type: 'ack' });
  }
  await closeAll(bob);
  await admin.unban({ uid: ann });
  await until(
    async () => (await (await open(gateways[0]!, ann)).next()).json?.['type'],
    'a welcome after the ban',
    (type) => type === 'welcome',
  );
});

test('a revocation acts within a second on all workers of two gateways, and spares newer tokens', async () => {
  const clients = await welcomedOnAll(ann);
  const newer = await welcomed(gateways[1]!, ann, NOW + 1);
  const closes = clients.map(({ closed }) => closed);
  expect(await msUntil(() => admin.ban({ uid: ann }, { notBefore: NOW + 1 }), closes)).toBeLessThan(
    ACTS_WITHIN_MS,
  );
  expect(new Set((await Promise.all(closes)).map(({ code }) => code))).toEqual(new Set([4510]));
  expect(await codesOf(ann)).toEqual(new Set([4510]));
  newer.sendCommand({ cmd: 'ping', id: 'here' });
  expect(await newer.reply('here')).toMatchObject({ type: 'ack' });
  await newer.close();
});

test('a moderator removes a user from a group on all workers of two gateways within a second', async () => {
  const clients = await welcomedOnAll(ann);
  const moderator = await welcomed(gateways[0]!, 'moderator');
  const joinAll = async (): Promise<unknown[]> => {
    for (const client of clients) client.sendCommand({ cmd: 'add_group', group_id: 'room', id: 'join' });
    return Promise.all(clients.map(async (client) => (await client.reply('join'))['type']));
  };
  for (const cmd of ['kick', 'ban']) {
    expect(new Set(await joinAll())).toEqual(new Set(['ack']));
    const removals = clients.map((client) =>
      client.messages.next(({ json }) => json?.['type'] === 'removed' && json['reason'] === cmd),
    );
    const act = async (): Promise<void> =>
      moderator.sendCommand({ cmd, group_id: 'room', uid: ann, reason: cmd, id: cmd });
    expect(await msUntil(act, removals)).toBeLessThan(ACTS_WITHIN_MS);
    expect(await moderator.reply(cmd)).toEqual({ type: 'ack', id: cmd });
  }
  expect(new Set(await joinAll())).toEqual(new Set(['error']));
  await closeAll([...clients, moderator]);
});

test('a ban holds through the death of a worker', async () => {
  await admin.ban({ uid: ann });
  const [gateway] = gateways;
  const before = await gateway!.stats();
  process.kill(before.workers[0]!.pid, 'SIGKILL');
  await until(
    () => gateway!.stats(),
    'the next worker to have the bans',
    ({ restarts, workers }) =>
      restarts > before.restarts &&
      workers.length === WORKERS &&
      workers.every(
        ({ state, hub: { state: link }, bans }) => state === 'up' && link === 'open' && Number(bans) > 0,
      ),
  );
  expect(await codesOf(ann)).toEqual(new Set([4511]));
});

test('a ban holds while the hub is away, and is lost with a hub that keeps nothing', async () => {
  await admin.ban({ uid: ann });
  expect(await codesOf(ann)).toEqual(new Set([4511]));
  await hub.kill();
  expect(await codesOf(ann)).toEqual(new Set([4511]));
  await startHub({ port: hub.port });
  await until(
    async () => (await (await open(gateways[0]!, ann)).next()).json?.['type'],
    'a welcome after the restart',
    (type) => type === 'welcome',
  );
  // It keeps no bans: ban again.
  await admin.ban({ uid: ann });
  expect(await codesOf(ann)).toEqual(new Set([4511]));
});
