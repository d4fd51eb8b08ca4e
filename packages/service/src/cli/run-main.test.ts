import { closeSync, openSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CHILD_TEST_TIMEOUT_MS, type Child, startChild } from '../../testing/child.ts';

async function run(...argv: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = startChild(argv);
  const { code } = await child.ended;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

describe('exit codes of a real process', { timeout: CHILD_TEST_TIMEOUT_MS }, () => {
  test.each([
    ['--version', 0],
    ['start --lines=0', 1],
    ['crash', 1],
    ['', 2],
  ])('"fixture %s" exits %d', async (line, code) => {
    const result = await run(...line.split(' ').filter((word) => word !== ''));
    expect(result.code).toBe(code);
    // Results are on stdout, errors on stderr, and nothing is on both.
    expect([result.stdout !== '', result.stderr !== '']).toEqual([code === 0, code !== 0]);
  });
});

describe('stderr that does not accept the log', { timeout: CHILD_TEST_TIMEOUT_MS }, () => {
  const LINES = 20_000;

  async function flood(child: Child): Promise<number> {
    child.process.stdin.write('go\n');
    await child.said('dropped ');
    expect(await child.ended).toEqual({ code: 7, signal: null });
    return Number(/dropped (\d+)/.exec(child.stdout())?.[1]);
  }

  test('a reader gets every line', async () => {
    const child = startChild(['flood', '--lines=100']);
    expect(await flood(child)).toBe(0);
    const lines = child.stderr().trim().split('\n');
    expect(lines).toHaveLength(100);
    expect(JSON.parse(lines[99]!)).toMatchObject({ name: 'fixture', role: 'test', line: 99, msg: 'flood' });
  });

  test('without a reader, lines are dropped and counted, and the process goes on', async () => {
    const child = startChild(['flood', '--lines=100']);
    await child.said('started');
    child.process.stderr?.destroy();
    expect(await flood(child)).toBe(100);
  });

  test('with a reader that never reads, the backlog is bounded, and the process still ends', async () => {
    const child = startChild(['flood', `--lines=${LINES}`], 'pipe', false);
    const dropped = await flood(child);
    // Far more was logged than the backlog and the socket's buffer hold.
    expect(dropped).toBeGreaterThan(LINES / 2);
    expect(dropped).toBeLessThan(LINES);
  });

  test.skipIf(process.platform !== 'linux')(
    'a full disk: every line is tried, dropped and counted',
    async () => {
      const full = openSync('/dev/full', 'w');
      try {
        expect(await flood(startChild(['flood', '--lines=100'], full))).toBe(100);
      } finally {
        closeSync(full);
      }
    },
  );
});
