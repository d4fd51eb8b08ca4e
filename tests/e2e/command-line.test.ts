import { killAll, REPOSITORY, startGateway, startHub, startProcess } from '@groupcast/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';

// The command line as a process: its exit code, and all that it writes. Tables of more lines are in
// `wrong-invocations.test.ts` of the hub and of the gateway.

vi.setConfig({ testTimeout: 60_000 });
afterEach(killAll);

interface Answer {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(app: 'hub' | 'gateway', line: string): Promise<Answer> {
  const main = app === 'hub' ? 'apps/channel-hub/src/main.ts' : 'apps/ws-gateway/src/main.ts';
  const argv = ['--import', 'tsx', main, ...line.split(' ').filter((word) => word !== '')];
  const child = startProcess(process.execPath, argv, { cwd: REPOSITORY });
  const { code } = await child.finished;
  return { code, stdout: child.stdout, stderr: child.stderr };
}

test.each([
  ['hub', 'strat', 2, 'unknown command "strat": did you mean start? groupcast-hub --help says more.'],
  ['hub', 'start --port 7 --port 8', 1, '--port is given twice ("7", "8"). Give it once.'],
  ['hub', 'start --host [::]', 1, '--host "[::]": must be an address without brackets, such as :: or ::1.'],
  [
    'hub',
    'check-config --host 0.0.0.0',
    1,
    'Without a secret, any host could connect to 0.0.0.0. Give --secret-file, or listen on 127.0.0.1, or accept all peers with --insecure.',
  ],
  [
    'hub',
    'start --host 127.0.0.1 --host 192.0.2.1 --port 0 --warm-up-ms 0 --insecure',
    1,
    'Cannot listen on 192.0.2.1:0: this machine has no such address; choose one that it has with --host.',
  ],
  ['hub', 'gen-secret --port 7', 1, 'gen-secret does not use --port. It has no options.'],
  [
    'gateway',
    'start --host 192.0.2.1 --port 1 --admin-port 0',
    1,
    'Cannot listen on 192.0.2.1:1: this machine has no such address; choose one that it has with --host.',
  ],
  [
    'gateway',
    'start --secret-file /nowhere/secret',
    1,
    "--secret-file /nowhere/secret cannot be read: ENOENT: no such file or directory, stat '/nowhere/secret'.",
  ],
  [
    'gateway',
    'check-config --allowed-origins=',
    1,
    '--allowed-origins is empty. Give a value, or leave it out for the default.',
  ],
  [
    'gateway',
    'reload --drain-seconds 1',
    1,
    'reload does not use --drain-seconds. Its options are --admin-host, --admin-port, --config.',
  ],
  [
    'gateway',
    'status --admin-port 1',
    1,
    'Nothing answers on 127.0.0.1:1; is groupcast-gateway running? --admin-host and --admin-port say where to ask.',
  ],
] as const)('%s %s: exit code %i, and one line', async (app, line, code, sentence) => {
  expect(await run(app, line)).toEqual({ code, stdout: '', stderr: `groupcast-${app}: ${sentence}\n` });
});

test('without a command, the help is on stderr, and the exit code is 2', async () => {
  const { code, stdout, stderr } = await run('hub', '');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain('Exit codes:');
});

test('the help of a command has what matters to it, and its exit codes', async () => {
  const { code, stdout } = await run('gateway', 'status --help');
  expect(code).toBe(0);
  for (const part of ['--admin-port', '--json', '--watch', '--config', 'Exit codes:'])
    expect(stdout).toContain(part);
  expect(stdout.split('\n').length).toBeLessThan(30);
  expect((await run('gateway', 'start --help')).stdout).toContain(
    '  143  Ended at once by a second SIGTERM.',
  );
});

describe('status', () => {
  test('--json prints the stats as one line, with version and uptime', async () => {
    const hub = await startHub();
    const gateway = await startGateway({ hub: hub.address });
    for (const [app, { adminPort, process }] of [
      ['hub', hub],
      ['gateway', gateway],
    ] as const) {
      const { code, stdout, stderr } = await run(app, `status --json --admin-port ${adminPort}`);
      expect([code, stderr, stdout.indexOf('\n')]).toEqual([0, '', stdout.length - 1]);
      expect(JSON.parse(stdout)).toMatchObject({
        service: `groupcast-${app}`,
        pid: process.pid,
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        uptimeSeconds: expect.any(Number),
      });
      expect((await run(app, `status --admin-port ${adminPort}`)).stdout).toMatch(/version +uptime/);
    }
  });

  test('--watch prints again and again, also after the service has gone, until Ctrl-C', async () => {
    const hub = await startHub();
    const argv = ['--import', 'tsx', 'apps/channel-hub/src/main.ts', 'status', '--watch', '--json'];
    const watch = startProcess(process.execPath, [...argv, '--admin-port', String(hub.adminPort)], {
      cwd: REPOSITORY,
    });
    await watch.waitForLine(/"service".*/);
    await hub.stop();
    await watch.waitForLine(/^Nothing answers on 127\.0\.0\.1/);
    watch.kill('SIGINT');
    expect(await watch.exited).toEqual({ code: null, signal: 'SIGINT' });
  });
});
