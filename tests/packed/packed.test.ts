import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

let folder: string;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'groupcast-packed-')));
  await succeeds(pnpm('run', 'build'));
  for (const app of APPS) {
    await succeeds(pnpm('--filter', `@groupcast/${app}`, 'deploy', '--prod', '--legacy', join(folder, app)));
  }
});
afterEach(killAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each([
  { app: 'channel-hub', name: 'groupcast-hub' },
  { app: 'ws-gateway', name: 'groupcast-gateway' },
] as const)('$app, built and copied out of the repository', ({ app, name }) => {
  test('holds its bundle and its npm dependencies, and nothing of the workspace', () => {
    expect(readdirSync(join(folder, app)).sort()).toEqual(['dist', 'node_modules', 'package.json']);
    const { dependencies } = JSON.parse(readFileSync(join(folder, app, 'package.json'), 'utf8'));
    const modules = join(folder, app, 'node_modules');
    const visible = readdirSync(modules).filter((entry) => !entry.startsWith('.'));
    expect(visible.sort()).toEqual(Object.keys(dependencies).sort());
    expect(readdirSync(join(modules, '.pnpm')).filter((entry) => entry.includes('groupcast'))).toEqual([]);
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

test('both run on their own, show themselves, and end in good order', async () => {
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
