import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubClient } from '@groupcast/hub-client';
import { limits } from '@groupcast/protocol';
import type { Namespace } from '@groupcast/protocol/schema';
import {
  type AppFlags,
  adminRequest,
  killAll,
  launchGateway,
  startGateway,
  startHub,
  TestClient,
  type TestHub,
  until,
} from '@groupcast/testkit';
import { signToken } from '@groupcast/testkit/in-process';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groupcast-namespaces-'));
});
afterEach(async () => {
  await killAll();
  await rm(folder, { recursive: true });
});

const FILE = 'namespaces.json';

function write(namespaces: readonly Namespace[] | string): Promise<void> {
  const text = typeof namespaces === 'string' ? namespaces : JSON.stringify(namespaces);
  return writeFile(join(folder, FILE), text);
}

/** Writes the file and makes the hub read it again. Resolves with its log line about it. */
async function reread(hub: TestHub, namespaces: readonly Namespace[] | string): Promise<string> {
  const before = hub.process.stderr.length;
  await write(namespaces);
  hub.process.kill('SIGHUP');
  const line = await until(
    () => /.*(?:Namespaces file read again|Namespaces not changed).*/.exec(hub.process.stderr.slice(before)),
    'a line of the hub about its namespaces',
    (match) => match !== null,
  );
  return line?.[0] ?? '';
}

/** Sends messages until the gateway says that they are ephemeral, or not. */
async function untilEphemeral(client: TestClient, isEphemeral: boolean): Promise<void> {
  let id = 0;
  await until(
    async () => {
      id += 1;
      const key = `${isEphemeral} ${id}`;
      client.sendCommand({ cmd: 'send_to_group', group_id: 'chat:1', message: 'a', id: key });
      return (await client.reply(key)).stored === false;
    },
    `a message that is ephemeral: ${isEphemeral}`,
    (answer) => answer === isEphemeral,
  );
}

test('a reload of the hub changes two live gateways, and a bad file changes nothing', async () => {
  await write([]);
  const hub = await startHub({ namespacesFile: join(folder, FILE) });
  const [one, two] = await Promise.all([
    startGateway({ hub: hub.address, workers: 2 }),
    startGateway({ hub: hub.address, workers: 2 }),
  ]);
  const clients = await Promise.all([one, one, two, two].map(({ url }) => TestClient.open(url)));
  const all = (isEphemeral: boolean): Promise<unknown> =>
    Promise.all(clients.map((client) => untilEphemeral(client, isEphemeral)));
  await all(false);

  expect(await reread(hub, [{ prefix: 'chat:', ephemeral: true }])).toContain('"namespaces":1');
  await all(true);

  expect(await reread(hub, [{ prefix: 'chat:' }, { prefix: '$chat' }])).toContain(
    '[1].prefix is \\"$chat\\"',
  );
  expect(await reread(hub, '[{')).toContain('The list is not JSON');
  // A change that follows shows that those had no effect.
  expect(await reread(hub, [{ prefix: '', ephemeral: true }])).toContain('"namespaces":1');
  await all(true);

  expect(
    await reread(hub, [
      { prefix: 'chat:1', ephemeral: false },
      { prefix: '', ephemeral: true },
    ]),
  ).toContain('"namespaces":2');
  await all(false);
});

test('workers take the namespaces of another hub', async () => {
  const flags = { namespacesFile: join(folder, FILE) };
  await write([{ prefix: 'chat:', ephemeral: true }]);
  const hub = await startHub(flags);
  const gateway = await startGateway({ hub: hub.address, workers: 1 });
  const client = await TestClient.open(gateway.url);
  await untilEphemeral(client, true);
  const restart = async (running: TestHub, more: object): Promise<TestHub> => {
    running.process.kill();
    await running.process.exited;
    return startHub({ ...more, port: hub.port });
  };
  const without = await restart(hub, {});
  await untilEphemeral(client, false);
  await restart(without, flags);
  await untilEphemeral(client, true);
});

/** Flags of a gateway with tokens, and a client whose token grants nothing. */
async function withTokens(): Promise<{
  flags: AppFlags;
  connect: (url: string, uid: string) => Promise<TestClient>;
}> {
  const secret = 'a secret of tokens, with more than thirty-two bytes';
  const file = join(folder, 'token-secret');
  await writeFile(file, secret, { mode: 0o600 });
  const exp = Math.floor(Date.now() / 1_000) + 600;
  return {
    flags: { auth: 'token', tokenSecretFile: file },
    connect: async (url, uid) => {
      const token = signToken({ sub: uid, exp, groupcast: { can: {} } }, { key: secret });
      const client = await TestClient.open(url, { protocol: ['groupcast.v1', `groupcast.token.${token}`] });
      await client.messages.next(({ json }) => json?.['type'] === 'welcome');
      return client;
    },
  };
}

test('members on all workers are removed within a second after their namespace allows no more', async () => {
  await write([{ prefix: 'chat:', allow: { users: ['join'] } }]);
  const hub = await startHub({ namespacesFile: join(folder, FILE) });
  const { flags, connect } = await withTokens();
  const gateways = await Promise.all(
    [1, 2].map(() => startGateway({ hub: hub.address, workers: 2, ...flags })),
  );
  const clients = await Promise.all(
    [...gateways, ...gateways].map(({ url }, index) => connect(url, `user ${index}`)),
  );
  for (const client of clients) {
    client.sendCommand({ cmd: 'add_group', group_id: 'chat:1', id: 'join' });
    expect(await client.reply('join')).toMatchObject({ type: 'ack' });
  }
  await reread(hub, [{ prefix: 'news', allow: { users: ['join'] } }]);
  const sinceMs = performance.now();
  for (const client of clients) {
    const removed = await client.messages.next(({ json }) => json?.['type'] === 'removed');
    expect(removed.json).toEqual({ type: 'removed', group_id: 'chat:1', reason: 'permission' });
  }
  // A second is promised. The machine of the tests may be busy.
  expect(performance.now() - sinceMs).toBeLessThan(5_000);
});

test('a gateway with tokens is not ready before its workers know the namespaces', async () => {
  const hub = await startHub();
  const program = new HubClient({ port: hub.port });
  onTestFinished(() => program.close());
  program.connect();
  const config = program.keyed(limits.CONFIG_CHANNEL);
  await config.set(limits.NAMESPACES_KEY, 'no list', { kind: 'json' });
  const { flags } = await withTokens();
  const gateway = await launchGateway({ hub: hub.address, workers: 1, ...flags });
  await gateway.process.waitForLine(/invalid namespaces are ignored/);
  const { status, body } = await adminRequest(gateway.adminPort, '/readyz');
  expect([status, body]).toEqual([503, expect.stringContaining('0 of 1 workers')]);
  await config.set(limits.NAMESPACES_KEY, '[]', { kind: 'json' });
  await until(
    async () => (await adminRequest(gateway.adminPort, '/readyz')).status,
    'a gateway that is ready',
    (ready) => ready === 200,
  );
});
