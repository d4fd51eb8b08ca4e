import { cpSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import {
  killAll,
  type ProcessExit,
  REPOSITORY,
  startGateway,
  startHub,
  startProcess,
  TestClient,
} from '@groupcast/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

interface Ran extends ProcessExit {
  readonly stdout: string;
  readonly stderr: string;
}

const APPS = ['channel-hub', 'ws-gateway'] as const;
const PACKAGES = { 'channel-hub': '@groupcast/hub', 'ws-gateway': '@groupcast/gateway' } as const;
/** As the README tells users to do it. */
const DEPLOY = ['deploy', '--prod', '--legacy', '--config.node-linker=hoisted'];

let folder: string;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'groupcast-packed-')));
  await succeeds(pnpm('run', 'build'));
  for (const app of APPS) {
    await succeeds(pnpm('--filter', PACKAGES[app], ...DEPLOY, join(folder, app)));
  }
});
afterEach(killAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  { app: 'channel-hub', name: 'groupcast-hub' },
  { app: 'ws-gateway', name: 'groupcast-gateway' },
] as const)('$app, built and copied out of the repository', ({ app, name }) => {
  test('holds its bundle and its npm dependencies, and nothing of the workspace', () => {
    expect(readdirSync(join(folder, app)).sort()).toEqual([
      'README.md',
      'dist',
      'node_modules',
      'package.json',
    ]);
    const { dependencies } = JSON.parse(readFileSync(join(folder, app, 'package.json'), 'utf8'));
    const modules = readdirSync(join(folder, app, 'node_modules'));
    expect(modules).toEqual(
      expect.arrayContaining(Object.keys(dependencies).map((name) => name.split('/')[0])),
    );
    expect(modules).not.toContain('@groupcast');
  });

  test('has no links out of itself', () => {
    const root = join(folder, app);
    const links = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isSymbolicLink(),
    );
    const out = links
      .map((link) => ({
        from: join(link.parentPath, link.name),
        to: readlinkSync(join(link.parentPath, link.name)),
      }))
      .filter(({ from, to }) => isAbsolute(to) || !resolve(dirname(from), to).startsWith(root + sep));
    expect(out).toEqual([]);
  });

  test('says its version and its options, and checks a configuration', async () => {
    const { version } = JSON.parse(readFileSync(join(folder, app, 'package.json'), 'utf8'));
    expect((await succeeds(run(app, '--version'))).stdout).toBe(`${name} ${version}\n`);
    expect((await succeeds(run(app, 'start', '--help'))).stdout).toContain('--secret-file');
    expect((await succeeds(run(app, 'check-config', '--port', '4321'))).stdout).toMatch(/port +4321/);
    const refused = await run(app, 'check-config', '--port', 'none');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('--port');
  });
});

test('both start from copies whose links were followed', async () => {
  for (const app of APPS) {
    cpSync(join(folder, app), join(folder, `${app}-copy`), { recursive: true, dereference: true });
  }
  const hub = await startHub({}, { main: main('channel-hub-copy') });
  const gateway = await startGateway({ hub: hub.address }, { main: main('ws-gateway-copy') });
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(await hub.stop()).toEqual({ code: 0, signal: null });
});

test('both run on their own, show themselves, and end gracefully', async () => {
  const hub = await startHub({}, { main: main('channel-hub') });
  const gateway = await startGateway({ hub: hub.address, workers: 2 }, { main: main('ws-gateway') });
  const [member, sender] = await Promise.all([TestClient.open(gateway.url), TestClient.open(gateway.url)]);
  member.sendCommand({ cmd: 'add_group', group_id: '123', id: 1 });
  expect(await member.reply(1)).toMatchObject({ type: 'ack' });
  sender.sendCommand({ cmd: 'send_to_group', group_id: 123, message: 'これはメッセージです' });
  expect((await member.next()).text).toBe('これはメッセージです');

  const { workers } = await gateway.stats();
  expect(workers).toHaveLength(2);
  const hubStatus = await succeeds(run('channel-hub', 'status', `--admin-port=${hub.adminPort}`));
  expect(hubStatus.stdout).toContain(`${hub.process.pid}`);
  const status = await succeeds(run('ws-gateway', 'status', `--admin-port=${gateway.adminPort}`));
  for (const { pid } of workers) expect(status.stdout).toContain(`${pid}`);

  await Promise.all([member.close(), sender.close()]);
  expect(await gateway.stop()).toEqual({ code: 0, signal: null });
  expect(await hub.stop()).toEqual({ code: 0, signal: null });
  expect([...gateway.process.descendants(), ...hub.process.descendants()]).toEqual([]);
});

function main(app: string): string {
  return join(folder, app, 'dist', 'main.js');
}

function run(app: string, ...args: string[]): Promise<Ran> {
  return ran(process.execPath, [main(app), ...args], join(folder, app));
}

function pnpm(...args: string[]): Promise<Ran> {
  return ran(join(REPOSITORY, 'node_modules', '.bin', 'pnpm'), args, REPOSITORY);
}

async function ran(command: string, args: string[], cwd: string): Promise<Ran> {
  const child = startProcess(command, args, { cwd });
  const exit = await child.finished;
  return { ...exit, stdout: child.stdout, stderr: child.stderr };
}

async function succeeds(running: Promise<Ran>): Promise<Ran> {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`It ended with ${code}: ${stdout}${stderr}`);
  return running;
}
