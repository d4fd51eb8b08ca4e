import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  killAll,
  REPOSITORY,
  startGateway,
  startHub,
  startProcess,
  TestClient,
  type TestGateway,
  until,
} from '@groupcast/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutPhp } from '../php/start-php.ts';

const script = readFileSync(join(REPOSITORY, 'examples/php-tokens/token.php'), 'utf8');

/** The login of the application. */
const LOGIN = `<?php
session_start();
$_SESSION['user_id'] = $_POST['user_id'];
`;

test('token.php has at most 30 lines of code, and is the one of the migration page', () => {
  const lines = script.split('\n').filter((line) => !/^\s*($|\/\/|\/\*\*)/.test(line));
  expect(lines.length).toBeLessThanOrEqual(30);
  const page = readFileSync(join(REPOSITORY, 'docs/MIGRATING-FROM-WORKERMAN.md'), 'utf8');
  expect(page).toContain(`\`\`\`php\n${script}\`\`\`\n`);
});

describe.skipIf(withoutPhp)('token.php in an application with a login', () => {
  let folder: string;
  let site: string;
  let gateway: TestGateway;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'groupcast-php-tokens-'));
    const secretFile = join(folder, 'token-secret');
    writeFileSync(secretFile, 'a secret that only PHP and the gateway have\n', { mode: 0o600 });
    const root = join(folder, 'public');
    cpSync(join(REPOSITORY, 'examples/php-tokens'), root, { recursive: true });
    writeFileSync(join(root, 'token.php'), script.replace('/etc/groupcast/token-secret', secretFile));
    writeFileSync(join(root, 'login.php'), LOGIN);
    const port = await freePort();
    startProcess('php', ['-n', '-d', `session.save_path=${folder}`, '-S', `127.0.0.1:${port}`, '-t', root]);
    site = `http://127.0.0.1:${port}`;
    const hub = await startHub();
    gateway = await startGateway({ hub: hub.address, auth: 'token', tokenSecretFile: secretFile });
    await until(
      () =>
        fetch(`${site}/token.php`).then(
          ({ status }) => status,
          () => 0,
        ),
      'PHP to serve',
      (status) => status === 401,
    );
  });
  afterAll(async () => {
    await killAll();
    rmSync(folder, { recursive: true });
  });

  /** Logs in, and returns the cookie of the session. */
  async function login(userId: string): Promise<string> {
    const body = new URLSearchParams({ user_id: userId });
    const { headers } = await fetch(`${site}/login.php`, { method: 'POST', body });
    return headers.get('set-cookie')?.split(';')[0] ?? '';
  }

  async function tokenOf(cookie: string): Promise<string> {
    const response = await fetch(`${site}/token.php`, { headers: { cookie } });
    expect(response.headers.get('cache-control')).toBe('no-store');
    return ((await response.json()) as { token: string }).token;
  }

  async function connect(token: string): Promise<TestClient> {
    return TestClient.open(gateway.url, { protocol: ['groupcast.v1', `groupcast.token.${token}`] });
  }

  test('there is no token without a login', async () => {
    const response = await fetch(`${site}/token.php`);
    expect([response.status, await response.json()]).toEqual([401, { error: 'Log in first.' }]);
  });

  test.each(['42', 'Zoë 🙂', 'a"\\b'])('the gateway knows %s by its token', async (userId) => {
    const client = await connect(await tokenOf(await login(userId)));
    const welcome = (await client.next()).json;
    expect(welcome).toMatchObject({ type: 'welcome', uid: userId });
    expect(welcome?.['token_expires_in_ms']).toBeGreaterThan(3_500_000);
    client.sendCommand({ cmd: 'add_group', group_id: 'chat:lobby', id: 1 });
    expect(await client.reply(1)).toMatchObject({ type: 'ack' });
    client.sendCommand({ cmd: 'add_group', group_id: `user:${userId}`, id: 2 });
    expect(await client.reply(2)).toMatchObject({ type: 'ack' });
    for (const [id, cmd, group_id] of [
      [3, 'add_group', 'user:another'],
      [4, 'add_group', 'staff'],
      [5, 'send_to_group', `user:${userId}`],
    ] as const) {
      client.sendCommand({ cmd, group_id, message: 'hi', id });
      expect(await client.reply(id)).toMatchObject({ type: 'error', code: 'forbidden' });
    }
    await client.close();
  });

  test('a token that was changed is not accepted', async () => {
    const [header = '', , signature = ''] = (await tokenOf(await login('42'))).split('.');
    const claims = Buffer.from(JSON.stringify({ sub: '1', exp: 4_000_000_000 })).toString('base64url');
    const client = await connect(`${header}.${claims}.${signature}`);
    expect(await client.closed).toMatchObject({ code: 4501 });
  });
});
