import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { killAll, REPOSITORY, startProcess, TestClient, type TestProcess } from '@groupcast/testkit';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { OperatorShell } from './operator-shell.ts';

const page = readFileSync(join(REPOSITORY, 'docs/IDENTITY.md'), 'utf8');

/** Web application that answers a token of the recipe to everyone. */
const SITE = `
import { createServer } from 'node:http';
import { tokenOf } from './token.mjs';
const server = createServer(async (_request, response) => response.end(await tokenOf('ann')));
server.listen(0, '127.0.0.1', () => console.log('http://127.0.0.1:' + server.address().port));
`;

let shell: OperatorShell;

beforeEach(async () => {
  shell = await OperatorShell.create();
});
afterEach(async () => {
  await killAll();
  shell.remove();
});

/** Returns the code blocks of a section in one language. */
function snippets(heading: string, language: string): string[] {
  const section = page.split(/^#+ /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const blocks = section.matchAll(/^```(\w+)\n(.*?)^```/gms);
  return [...blocks].filter(([, name]) => name === language).map(([, , code = '']) => code);
}

/** Returns the commands of a section, each on one line. */
function commands(heading: string): string[] {
  const [script = ''] = snippets(heading, 'sh');
  return script
    .replaceAll(/\\\n\s*/g, '')
    .trimEnd()
    .split('\n');
}

/** Starts hub and gateway with the commands of a section, the hub first. */
async function serve(heading: string, replace: (command: string) => string = String): Promise<void> {
  const services = commands(heading).map(replace);
  await shell.serve(...services.sort((one, other) => other.localeCompare(one)));
}

async function writeSecret(): Promise<void> {
  await shell.run('(umask 077; groupcast-hub gen-secret > token-secret)');
}

async function serveWithSecret(): Promise<void> {
  await writeSecret();
  await shell.serve(
    'groupcast-hub start',
    'groupcast-gateway start --auth token --token-secret-file token-secret',
  );
}

/** Returns a token with these permissions. */
async function tokenOf(uid: string, can: object): Promise<string> {
  const secret = new TextEncoder().encode(readFileSync(join(shell.folder, 'token-secret'), 'utf8').trim());
  return new SignJWT({ groupcast: { can } })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(uid)
    .setIssuedAt()
    .setJti(`jti-${uid}`)
    .setExpirationTime('15m')
    .sign(secret);
}

async function connect(token?: string): Promise<TestClient> {
  const protocol = ['groupcast.v1', ...(token === undefined ? [] : [`groupcast.token.${token}`])];
  const client = await TestClient.open(shell.url, { protocol });
  expect((await client.next()).json).toMatchObject({ type: 'welcome' });
  return client;
}

let lastId = 0;

/** Sends a command, and returns the type of the reply, or the code of the error. */
async function answerTo(client: TestClient, command: object): Promise<unknown> {
  lastId += 1;
  client.sendCommand({ ...command, id: lastId });
  const { type, code } = await client.reply(lastId);
  return code ?? type;
}

const joining = (group_id: string) => ({ cmd: 'add_group', group_id });
const sending = (group_id: string) => ({ cmd: 'send_to_group', group_id, message: 'hi' });

/** Runs code of a page with the SDK, after `before`. */
function runInPage(before: string, code: string): TestProcess {
  shell.write('page.ts', `import { GroupcastClient } from '@groupcast/client';\n${before}\n${code}`);
  // Node has a WebSocket of its own from version 22 on.
  shell.write('ws.mjs', "import { WebSocket } from 'ws';\nglobalThis.WebSocket ??= WebSocket;\n");
  const args = ['--import', './ws.mjs', '--import', import.meta.resolve('tsx'), 'page.ts'];
  return startProcess(process.execPath, args, { cwd: shell.folder });
}

test('the commands at the top make a token that the gateway accepts', async () => {
  const [, script = ''] = /\n\n((?: {4}.+\n)+)/.exec(page) ?? [];
  const [secret = '', start = '', token = ''] = script.split('\n').map((line) => line.trim());
  await shell.run(secret);
  await shell.serve('groupcast-hub start', start);
  const ann = await connect(await shell.run(token));
  expect(await answerTo(ann, joining('chat:lobby'))).toBe('ack');
  expect(await answerTo(ann, joining('staff'))).toBe('forbidden');
});

test('the example of a token has claims that the gateway accepts', async () => {
  await serveWithSecret();
  const [text = ''] = snippets('The token', 'json');
  const { groupcast } = JSON.parse(text);
  const token = await tokenOf('ann', groupcast.can);
  const ann = await connect(token);
  expect(await answerTo(ann, joining('user:ann'))).toBe('ack');
  expect(await answerTo(ann, joining('user:bob'))).toBe('forbidden');
});

describe('recipe', () => {
  test('the session of my web application', async () => {
    await serveWithSecret();
    const heading = 'The session of my web application';
    shell.write('token.mjs', snippets(heading, 'js')[0] ?? '');
    shell.write('site.mjs', SITE);
    const server = startProcess(process.execPath, ['site.mjs'], { cwd: shell.folder });
    const site = await server.waitForLine(/^http:/);
    const code = (snippets(heading, 'ts')[0] ?? '')
      .replace('wss://example.com/ws', shell.url)
      .replace('/token', `${site}/token`);
    const after = `await client.group('chat:lobby').join(); console.log("I am", client.uid);`;
    const child = runInPage('', `${code}${after}`);
    await child.waitForLine(/^I am ann$/);
  });

  test('an identity provider', async () => {
    const heading = 'An identity provider';
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] });
    const site = await listen(createServer((_request, response) => response.end(keys)));
    shell.write('namespaces.json', snippets(heading, 'json')[0] ?? '');
    await serve(heading, (command) => command.replaceAll('https://login.example.com', site));
    const token = async (audience: string): Promise<string> =>
      new SignJWT({})
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setSubject('ann')
        .setIssuer(site)
        .setAudience(audience)
        .setExpirationTime('5m')
        .sign(privateKey);
    const ann = await connect(await token('chat'));
    expect(await answerTo(ann, joining('chat:lobby'))).toBe('ack');
    expect(await answerTo(ann, joining('staff'))).toBe('forbidden');
    const other = await TestClient.open(shell.url, {
      protocol: ['groupcast.v1', `groupcast.token.${await token('mail')}`],
    });
    expect(await other.closed).toMatchObject({ code: 4501 });
  });

  test('anonymous readers, writers with a login', async () => {
    const heading = 'Anonymous readers, writers with a login';
    await writeSecret();
    shell.write('namespaces.json', snippets(heading, 'json')[0] ?? '');
    await serve(heading);
    const reader = await connect();
    expect(await answerTo(reader, joining('news:today'))).toBe('ack');
    expect(await answerTo(reader, sending('news:today'))).toBe('forbidden');
    expect(await answerTo(reader, joining('staff'))).toBe('forbidden');
    const writer = await connect(await tokenOf('ann', {}));
    expect(await answerTo(writer, sending('news:today'))).toBe('ack');
    expect((await reader.nextMatching(({ json }) => json?.['type'] === 'message')).json).toMatchObject({
      message: 'hi',
      from: { uid: 'ann' },
    });
  });

  test('private rooms', async () => {
    await serveWithSecret();
    const [code = ''] = snippets('Private rooms', 'js');
    const can = new Function('rooms', `${code} return can;`)(['7']);
    const ann = await connect(await tokenOf('ann', can));
    expect(await answerTo(ann, joining('room:7'))).toBe('ack');
    expect(await answerTo(ann, joining('room:70'))).toBe('forbidden');
    const [, ban = ''] = /`(groupcast-hub ban --group room:7 --uid ann)`/.exec(page) ?? [];
    await shell.run(ban);
    expect((await ann.nextMatching(({ json }) => json?.['type'] === 'removed')).json).toMatchObject({
      group_id: 'room:7',
    });
    expect(await answerTo(ann, joining('room:7'))).toBe('forbidden');
  });

  test('moderators', async () => {
    await serveWithSecret();
    const [code = ''] = snippets('Moderators', 'js');
    const can = new Function(`${code} return can;`)();
    const eve = await connect(await tokenOf('eve', { 'chat:*': ['join'] }));
    expect(await answerTo(eve, joining('chat:lobby'))).toBe('ack');
    const token = await tokenOf('mo', can);
    const client = `const client = new GroupcastClient('${shell.url}', { token: '${token}' });`;
    const child = runInPage(client, `${snippets('Moderators', 'ts')[0] ?? ''}console.log('done');`);
    const removed = await eve.nextMatching(({ json }) => json?.['type'] === 'removed');
    expect(removed.json).toMatchObject({ group_id: 'chat:lobby', reason: 'Calm down.' });
    await child.waitForLine(/^done$/);
  });
});

test('a message to a user', async () => {
  await serveWithSecret();
  const ann = await connect(await tokenOf('ann', {}));
  const [code = ''] = snippets('Messages to a user', 'ts');
  const before = `import { HubClient } from '@groupcast/hub-client';
    const hub = new HubClient({ host: '127.0.0.1', port: ${shell.ports.hub} });
    hub.connect();`;
  runInPage(before, `${code}await hub.close();`);
  const { json } = await ann.nextMatching((message) => message.json?.['type'] === 'message');
  expect(json).toMatchObject({ user: true, message: 'Your order is on its way.' });
});

/** Returns the URL of a server that is closed at the end of the test. */
async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
