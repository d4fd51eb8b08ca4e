import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Mischief, type PlainServer, startPlainServer } from './fixtures/plain-server.ts';
import type { Result } from './report/result.ts';

// The deployed program against a real server: the bundle, its processes, its exit codes.

const app = fileURLToPath(new URL('..', import.meta.url));
const program = join(app, 'dist/main.js');

beforeAll(() => {
  execFileSync(process.execPath, ['../../scripts/bundle.mjs'], { cwd: app, stdio: 'inherit' });
});

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Promise<Output> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

async function withServer<T>(mischief: Mischief, use: (server: PlainServer) => Promise<T>): Promise<T> {
  const server = await startPlainServer(mischief);
  try {
    return await use(server);
  } finally {
    await server.close();
  }
}

/**
 * Runs a scenario against a server of its own; returns the output of `--json` and the exit code.
 */
function measure(mischief: Mischief, ...args: string[]): Promise<{ result: Result; output: Output }> {
  return withServer(mischief, async ({ url }) => {
    const output = await run(url, '--json', ...args);
    expect(output.stdout, output.stderr).toMatch(/^\{.*\}\n$/);
    return { result: JSON.parse(output.stdout), output };
  });
}

const FAULTLESS = { lost: 0, doubled: 0, misordered: 0, unexpected: 0, complaints: {}, interrupted: false };
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

describe.concurrent('each scenario against a real server', () => {
  test('fanout: every member receives every message', async () => {
    const { result, output } = await measure({}, '--members', '20', '--messages', '50', '--window', '4');
    expect(result).toMatchObject({
      scenario: 'fanout',
      protocol: 'groupcast',
      messages: 50,
      deliveries: 1_000,
      ...FAULTLESS,
      connect: { connections: 21, retried: 0 },
      server: null,
      generator: { processes: 1 },
    });
    expect(sum(result.perSecond)).toBe(1_000);
    const { p50, p99, max, mean } = result.latencyMs!;
    expect(p50).toBeGreaterThan(0);
    expect(p99).toBeGreaterThanOrEqual(p50);
    expect(max).toBeGreaterThanOrEqual(mean);
    expect(result.seconds).toBeGreaterThan(0);
    expect(output).toMatchObject({ code: 0, stderr: '' });
  });

  test('fanout over several processes: a message is complete when all processes have it', async () => {
    const { result } = await measure({}, '--members', '10', '--messages', '40', '--processes', '3');
    expect(result).toMatchObject({
      messages: 40,
      deliveries: 400,
      ...FAULTLESS,
      generator: { processes: 3 },
    });
    expect(result.connect.connections).toBe(11);
  });

  test('groups: each group has its publisher, which is a member', async () => {
    const args = ['--scenario', 'groups', '--members', '20', '--groups', '5', '--messages', '50'];
    const { result } = await measure({}, ...args, '--processes', '2', '--window', '3');
    expect(result).toMatchObject({ messages: 50, deliveries: 200, ...FAULTLESS });
    expect(result.connect.connections).toBe(20);
  });

  test('latency: messages at an even rate', async () => {
    const args = [
      '--scenario',
      'latency',
      '--members',
      '20',
      '--groups',
      '5',
      '--messages',
      '30',
      '--rate',
      '300',
    ];
    const { result } = await measure({}, ...args);
    expect(result).toMatchObject({
      messages: 30,
      deliveries: 120,
      ...FAULTLESS,
      generator: { processes: 2 },
    });
    // Thirty messages, the first at once.
    expect(result.seconds).toBeGreaterThanOrEqual(29 / 300);
  });

  test('idle: members receive no messages; the server is measured', async () => {
    const args = ['--scenario', 'idle', '--members', '40', '--groups', '4', '--seconds', '0.3'];
    await withServer({}, async ({ url, groupSizes }) => {
      const { stdout, code } = await run(url, '--json', ...args, '--pids', String(process.pid));
      const result: Result = JSON.parse(stdout);
      expect(code).toBe(0);
      expect(result).toMatchObject({
        messages: 0,
        deliveries: 0,
        perSecond: [],
        latencyMs: null,
        ...FAULTLESS,
      });
      expect(result.connect.connections).toBe(40);
      expect(result.seconds).toBeCloseTo(0.3);
      expect(result.server).toMatchObject({ pids: [process.pid], cpuSecondsPerMillionDeliveries: null });
      expect(result.server?.rssBytesBefore).toBeGreaterThan(1_000_000);
      expect(groupSizes()).toEqual([10, 10, 10, 10]);
    });
  });

  test('storm: a busy server is retried after the time that it gave', async () => {
    const args = ['--scenario', 'storm', '--members', '30', '--groups', '3', '--connecting-max', '8'];
    const { result } = await measure({ busyTimes: 7 }, ...args);
    expect(result).toMatchObject({ ...FAULTLESS, connect: { connections: 30, retried: 7 } });
    expect(result.connect.seconds).toBeGreaterThanOrEqual(1);
    expect(result.connect.handshakeMs.p99).toBeGreaterThanOrEqual(result.connect.handshakeMs.p50);
  });

  test('by time: the warm-up is checked, but not counted', async () => {
    const args = ['--members', '5', '--warmup-seconds', '0.4', '--seconds', '0.4'];
    const { result } = await measure({}, ...args);
    expect(result).toMatchObject({ seconds: expect.closeTo(0.4), ...FAULTLESS });
    expect(result.perSecond.length).toBe(1);
    expect(result.deliveries).toBeGreaterThan(0);
  });
});

describe.concurrent('what a server does wrong is counted, and the exit code is 1', () => {
  const args = ['--members', '5', '--messages', '20', '--window', '5'];

  test.each([
    ['lose', { lost: 1, doubled: 0, misordered: 0, unexpected: 0, deliveries: 99 }],
    ['double', { lost: 0, doubled: 1, misordered: 0, unexpected: 0, deliveries: 100 }],
    ['swap', { lost: 0, doubled: 0, misordered: 1, unexpected: 0, deliveries: 100 }],
    ['garble', { lost: 1, doubled: 0, misordered: 0, unexpected: 1, deliveries: 99 }],
  ] as const)('%s', async (fault, counts) => {
    const { result, output } = await measure({ delivery: { at: 12, fault } }, ...args);
    expect(result).toMatchObject(counts);
    expect(output.code).toBe(1);
    expect(output.stderr).toMatch(/^FAILED: /);
  });
});

describe.concurrent('a run without a result ends with 2 and one sentence', () => {
  test('no server listens', async () => {
    const { url, close } = await startPlainServer();
    await close();
    const output = await run(url, '--json');
    expect(output).toMatchObject({ code: 2, stdout: '' });
    expect(output.stderr).toMatch(
      /^groupcast-loadtest: No server listens at ws:.* \(ECONNREFUSED\)\. Start it.*\n$/,
    );
  });

  test('a process does not exist', async () => {
    const output = await withServer({}, ({ url }) => run(url, '--pids', '999999999'));
    expect(output).toMatchObject({ code: 2, stdout: '' });
    expect(output.stderr).toMatch(/Process 999999999 of --pids/);
  });

  test('the server rejects the join', async () => {
    const output = await withServer({ refusesJoins: true }, ({ url }) => run(url, '--members', '1'));
    expect(output).toMatchObject({ code: 2, stdout: '' });
    expect(output.stderr).toMatch(/not_permitted/);
  });
});

test('Ctrl-C ends a run with the measurements so far', async () => {
  await withServer({}, async ({ url, groupSizes }) => {
    const child = spawn(process.execPath, [program, url, '--json', '--members', '3', '--seconds', '600']);
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    // All members have joined; the signal may arrive in the warm-up, too.
    await expect.poll(groupSizes, { timeout: 20_000 }).toEqual([3]);
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(JSON.parse(stdout)).toMatchObject({ interrupted: true, lost: 0 });
    expect(code).toBe(0);
  });
});

test('prints a table, and writes a self-contained page with charts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'loadtest-'));
  try {
    const file = join(folder, 'report.html');
    const args = ['--members', '5', '--messages', '20', '--html', file];
    const { stdout, code } = await withServer({}, ({ url }) => run(url, ...args));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^deliveries +100 /m);
    expect(stdout).toMatch(/^lost \/ doubled \/ out of order +0 \/ 0 \/ 0 /m);
    const page = readFileSync(file, 'utf8');
    expect(page.match(/<svg /g)?.length).toBe(3);
    expect(page).not.toMatch(/<script|<link|src=|NaN|undefined/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
