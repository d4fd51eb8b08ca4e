import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { GroupcastClient } from '@groupcast/client';
import { HubClient, type HubClientState } from '@groupcast/hub-client';
import { killAll, startGateway, startHub, type TestHub, until } from '@groupcast/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

const CHANNEL = 'group:room';

/** As much is published as a link carries, and a client that is moved gets all of it. */
const ROOMY_HISTORY = { historyCount: 1_000_000, historyBytes: 128 * 1024 * 1024 };

let folder: string;
const cleanups: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groupcast-rotation-'));
  cleanups.push(() => rm(folder, { recursive: true }));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await killAll();
});

function fileOf(name: string): string {
  return join(folder, name);
}

async function writeSecret(name: string): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  await writeFile(fileOf(name), `${secret}\n`, { mode: 0o600 });
  return secret;
}

/** Makes the hub read its secrets again, and resolves with what it says about it. */
async function reread(hub: TestHub): Promise<Record<string, unknown>> {
  const linesBefore = hub.process.stderr.length;
  hub.process.kill('SIGHUP');
  const said = await until(
    () => /.*(?:Secret files read again|Secrets not changed).*/.exec(hub.process.stderr.slice(linesBefore)),
    'the hub to say what it read',
    (match) => match !== null,
  );
  return JSON.parse(said?.[0] ?? '{}');
}

/** A program on the link to the hub, and every state that it has been in. */
function program(hub: TestHub, secret: string): { client: HubClient; states: HubClientState[] } {
  const client = new HubClient({ port: hub.port, secret });
  cleanups.push(() => client.close());
  const states: HubClientState[] = [];
  client.on('state', (state) => states.push(state));
  client.connect();
  return { client, states };
}

test('a secret is changed without a closed link and without a lost message', async () => {
  const oldSecret = await writeSecret('secret');
  await copyFile(fileOf('secret'), fileOf('secret.old'));
  await copyFile(fileOf('secret'), fileOf('gateway'));
  const hub = await startHub({
    ...ROOMY_HISTORY,
    secretFile: `${fileOf('secret')},${fileOf('secret.old')}`,
  });
  const gateway = await startGateway({
    hub: hub.address,
    secretFile: fileOf('gateway'),
    workers: 2,
    drainSeconds: 0,
    recoveryMessagesMax: ROOMY_HISTORY.historyCount,
  });
  const steady = program(hub, oldSecret);
  const member = new GroupcastClient(gateway.url, { WebSocket, reconnectMaxMs: 200 });
  cleanups.push(() => member.close());
  const heard: unknown[] = [];
  const gaps: unknown[] = [];
  member.group('room').on('message', ({ message }) => heard.push(message));
  member.group('room').on('gap', (gap) => gaps.push(gap));
  await member.group('room').join();

  let sent = 0;
  let isOver = false;
  const publishing = (async () => {
    for (; !isOver; sent++) await steady.client.publish(CHANNEL, String(sent));
  })();
  publishing.catch(() => {});
  const hearMore = (): Promise<unknown> => {
    const before = heard.length;
    return until(
      () => heard.length,
      'messages to come',
      (count) => count > before,
    );
  };
  await hearMore();

  // The hub accepts both.
  const newSecret = await writeSecret('secret');
  expect(await reread(hub)).toMatchObject({ accepted: 2, peersWithOldSecret: 0 });
  await hearMore();

  // Gateways move.
  await copyFile(fileOf('secret'), fileOf('gateway'));
  expect((await gateway.reload()).reload).toMatchObject({ generation: 2, failed: 0 });
  await hearMore();

  // The hub forgets the old one, and counts who has not moved.
  await copyFile(fileOf('secret'), fileOf('secret.old'));
  expect(await reread(hub)).toMatchObject({ accepted: 1, peersWithOldSecret: 1 });
  await hearMore();
  const late = program(hub, oldSecret);
  await until(
    () => late.states,
    'the old secret to be refused',
    (states) => states.includes('waiting'),
  );
  expect(late.states).not.toContain('open');
  const moved = program(hub, newSecret);
  await moved.client.publish('other', 'with the new secret');

  isOver = true;
  await publishing;
  await until(
    () => heard.length,
    'all messages',
    (count) => count === sent,
  );
  expect(heard).toEqual(Array.from({ length: sent }, (_, index) => String(index)));
  expect(gaps).toEqual([]);
  expect(steady.states).toEqual(['connecting', 'authenticating', 'open']);
});

describe('what cannot be read', () => {
  test('changes nothing, and is logged', async () => {
    const secret = await writeSecret('secret');
    const hub = await startHub({ secretFile: fileOf('secret') });
    const { client } = program(hub, secret);
    await client.publish('c', 'before');
    await writeFile(fileOf('secret'), 'short');
    expect(await reread(hub)).toMatchObject({
      level: 50,
      msg: expect.stringContaining('has less than 16 bytes'),
    });
    const other = program(hub, secret);
    await other.client.publish('c', 'after');
  });
});

test('a second file can be named in the config file while the hub runs', async () => {
  const [first, second] = [await writeSecret('first'), await writeSecret('second')];
  const config = fileOf('hub.json');
  await writeFile(config, JSON.stringify({ secretFile: fileOf('first') }));
  const hub = await startHub({ config });
  await writeFile(config, JSON.stringify({ secretFile: [fileOf('second'), fileOf('first')] }));
  expect(await reread(hub)).toMatchObject({ accepted: 2 });
  for (const secret of [first, second]) await program(hub, secret).client.publish('c', 'x');
  // To go without any is for a restart.
  await writeFile(config, JSON.stringify({}));
  expect(await reread(hub)).toMatchObject({ level: 50, msg: expect.stringContaining('Restart it') });
});

test('both warn of a secret between hosts without TLS, but not with TLS or within one host', async () => {
  await writeSecret('secret');
  const hub = await startHub({ host: '0.0.0.0', secretFile: fileOf('secret') });
  expect(hub.process.stderr).toMatch(/secret is used on 0\.0\.0\.0 without TLS.*gen-certs/);
  const gateway = await startGateway({
    hub: `${outerAddress()}:${hub.port}`,
    secretFile: fileOf('secret'),
  });
  expect(gateway.process.stderr).toMatch(/secret is used with the hub at .* without TLS.*gen-certs/);
  const near = await startGateway({ hub: hub.address, secretFile: fileOf('secret') });
  expect(near.process.stderr).not.toContain('without TLS');
});

/** The address by which other hosts would reach this one. */
function outerAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  const outer = addresses.find(({ family, internal }) => family === 'IPv4' && !internal);
  if (outer === undefined) throw new Error('This machine has no address that others reach.');
  return outer.address;
}
