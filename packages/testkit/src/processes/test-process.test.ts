import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { REPOSITORY } from '../apps/test-app.ts';
import { until } from '../waiting/until.ts';
import { processGroup } from './process-group.ts';
import { killAll, startProcess, type TestProcess } from './test-process.ts';

afterEach(killAll);

const FOREVER = 'setInterval(() => {}, 1_000_000)';

function node(program: string): TestProcess {
  return startProcess(process.execPath, ['-e', program]);
}

describe('startProcess', () => {
  test('collects both outputs completely, and the exit code', async () => {
    const child = node(`
      process.stdout.write('one\\ntw');
      process.stderr.write('problem');
      process.stdout.write('o\\n', () => process.exit(3));
    `);
    expect(await child.finished).toEqual({ code: 3, signal: null });
    expect(child.stdout).toBe('one\ntwo\n');
    expect(child.stderr).toBe('problem');
    expect([...child.lines.all].sort()).toEqual(['one', 'problem', 'two']);
    expect(await child.waitForLine(/^t/)).toBe('two');
    await expect(child.waitForLine(/three/)).rejects.toThrow(/the process ended \(3\)/);
  });

  test('passes the given environment to the child', async () => {
    const program = 'console.log(process.env.GIVEN, process.env.TAKEN)';
    process.env['TAKEN'] = 'here';
    const child = startProcess(process.execPath, ['-e', program], {
      env: { GIVEN: 'yes', TAKEN: undefined },
    });
    delete process.env['TAKEN'];
    await child.finished;
    expect(child.stdout).toBe('yes undefined\n');
  });

  test('fails for a missing command', () => {
    expect(() => startProcess('/no/such/command')).toThrow('Cannot start /no/such/command');
  });

  test('signals the process alone', async () => {
    const child = node(FOREVER);
    child.kill('SIGKILL');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });
});

const PARENT = `
  const { spawn } = require('node:child_process');
  spawn(process.execPath, ['-e', ${JSON.stringify(FOREVER)}], { stdio: 'inherit' });
  console.log('started');
  ${FOREVER};
`;

describe('killAll', () => {
  test('leaves nothing of a process, of its children, and of orphans', async () => {
    const parent = node(PARENT);
    const orphaned = node(PARENT);
    await Promise.all([parent.waitForLine(/started/), orphaned.waitForLine(/started/)]);
    orphaned.kill('SIGKILL');
    await orphaned.exited;
    expect(parent.descendants()).toHaveLength(1);
    expect(orphaned.descendants()).toHaveLength(1);
    expect(processGroup(orphaned.pid)).toEqual(orphaned.descendants());

    await killAll();
    expect(processGroup(parent.pid)).toEqual([]);
    expect(processGroup(orphaned.pid)).toEqual([]);
  });

  test('is not needed when the runner itself is killed', async () => {
    const kit = fileURLToPath(new URL('./test-process.ts', import.meta.url));
    const program = `
      import { startProcess } from ${JSON.stringify(kit)};
      const child = startProcess(process.execPath, ['-e', ${JSON.stringify(FOREVER)}]);
      console.log('pid', child.pid);
      ${FOREVER};
    `;
    const args = ['--import', 'tsx', '--input-type=module', '-e', program];
    const runner = startProcess(process.execPath, args, { cwd: REPOSITORY });
    const group = Number((await runner.waitForLine(/^pid \d+$/)).split(' ')[1]);
    expect(processGroup(group)).toEqual([group]);
    runner.kill('SIGKILL');
    await until(
      () => processGroup(group),
      'the end of what the killed runner had started',
      (left) => left.length === 0,
    );
  });
});
