import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type JsonObject,
  killAll,
  startGateway,
  startHub,
  TestClient,
  type TestGateway,
  type TestHub,
} from '@groupcast/testkit';
import { signToken } from '@groupcast/testkit/in-process';
import { afterAll, beforeAll, expect, test } from 'vitest';

const SECRET = 'a secret of 32 bytes for tokens.';
const CAN = { 'own:{uid}:*': ['*'], shared: ['*'] };

let folder: string;
let hub: TestHub;
let gateway: TestGateway;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'two-users-'));
  const tokenSecretFile = join(folder, 'secret');
  writeFileSync(tokenSecretFile, SECRET);
  hub = await startHub();
  gateway = await startGateway({ hub: hub.address, auth: 'token', tokenSecretFile, workers: 2 });
});

afterAll(async () => {
  await killAll();
  rmSync(folder, { recursive: true });
});

function tokenOf(uid: string, claims: object = {}): string {
  const exp = Math.floor(Date.now() / 1_000) + 3_600;
  return signToken({ sub: uid, exp, groupcast: { can: CAN, ...claims } }, { key: SECRET });
}

interface Opened {
  readonly client: TestClient;
  readonly clientId: string;
  readonly session: string;
  /** Everything that the client got. */
  readonly got: string[];
}

/** Opens a connection of a user, perhaps with the session of another connection. */
async function open(uid: string, session?: string, claims?: object): Promise<Opened> {
  const headers = { authorization: `Bearer ${tokenOf(uid, claims)}` };
  const offered = session === undefined ? [] : [`groupcast.session.${session}`];
  const client = await TestClient.open(gateway.url, { headers, protocol: ['groupcast.v1', ...offered] });
  const welcome = (await client.next()).json ?? {};
  expect(welcome).toMatchObject({ type: 'welcome', uid });
  return { client, clientId: String(welcome['client_id']), session: String(welcome['session']), got: [] };
}

let ids = 0;

/** Sends a command, and returns its reply. */
async function ask({ client, got }: Opened, command: object): Promise<JsonObject> {
  ids += 1;
  const id = ids;
  client.sendCommand({ ...command, id });
  for (;;) {
    const { text, json } = await client.next();
    got.push(text);
    if (json?.['id'] === id) return json;
  }
}

test('a message of one user never counts as a repetition of one of another', async () => {
  const bob = await open('bob');
  const mallory = await open('mallory', bob.session);
  const send = { cmd: 'send_to_group', group_id: 'shared', message_id: 'order-1' };
  const fake = await ask(mallory, { ...send, message: 'nothing' });
  const order = await ask(bob, { ...send, message: 'ten books' });
  const again = await ask(bob, { ...send, message: 'ten books' });
  expect(order['offset']).toBe(Number(fake['offset']) + 1);
  expect(again['offset']).toBe(order['offset']);
  const { messages } = await ask(bob, { cmd: 'history', group_id: 'shared', last: 10 });
  expect(messages).toMatchObject([
    { message: 'nothing', from: { client_id: mallory.clientId, uid: 'mallory' } },
    { message: 'ten books', from: { client_id: bob.clientId, uid: 'bob' } },
  ]);
});

test('the session of another user gives neither its groups nor its messages', async () => {
  const bob = await open('bob');
  const group_id = 'own:bob:1';
  const ack = await ask(bob, { cmd: 'add_group', group_id });
  await ask(bob, { cmd: 'send_to_group', group_id, message: 'secret' });
  const since = { epoch: ack['epoch'], offset: ack['offset'] };
  const mallory = await open('mallory', bob.session, { join: [group_id] });
  await ask(mallory, { cmd: 'resume', positions: { [group_id]: since, $user: since } });
  const refused: readonly (readonly [object, string])[] = [
    [{ cmd: 'add_group', since }, 'join'],
    [{ cmd: 'history', since }, 'history'],
    [{ cmd: 'send_to_group', message: 'I am bob', exclude_self: true }, 'publish'],
    [{ cmd: 'group_info' }, 'info'],
    [{ cmd: 'kick', uid: 'bob' }, 'manage'],
    [{ cmd: 'ban', uid: 'bob' }, 'manage'],
  ];
  for (const [command, operation] of refused)
    expect(await ask(mallory, { ...command, group_id })).toMatchObject({ code: 'forbidden', operation });
  await ask(bob, { cmd: 'send_to_group', group_id, message: 'secret, too' });
  await ask(mallory, { cmd: 'history', group_id: 'shared', last: 1 });
  expect(mallory.got.join('\n')).not.toContain('secret');
  const { messages } = await ask(bob, { cmd: 'history', group_id, last: 10 });
  expect(messages).toMatchObject([{ message: 'secret' }, { message: 'secret, too' }]);
});
