import { afterEach, describe, expect, test, vi } from 'vitest';
import { CHILD_TEST_TIMEOUT_MS, type Child, startChild } from '../../testing/child.ts';
import { hasTerminal } from '../cli/terminal.ts';
import { runUntilSignal } from './run-until-signal.ts';

vi.mock('../cli/terminal.ts', () => ({ hasTerminal: vi.fn(() => false) }));

async function started(...flags: string[]): Promise<Child> {
  const child = startChild(['start', ...flags]);
  await child.said('started');
  return child;
}

describe('a real process', { timeout: CHILD_TEST_TIMEOUT_MS }, () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s drains, exits 0 and leaves no handler', async (signal) => {
    const child = await started('--reload');
    child.process.kill(signal);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stdout()).toContain('handlers left: 0,0,0');
    expect(child.stderr()).toContain(`"signal":"${signal}"`);
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a second signal, %s, ends it at once with %d', async (signal, code) => {
    const child = await started('--drain=never');
    child.process.kill('SIGTERM');
    await child.said('draining');
    // Like a user who keeps pressing: signals right after the first one do not count.
    const pressing = setInterval(() => child.process.kill(signal), 50);
    const ended = await child.ended;
    clearInterval(pressing);
    expect(ended).toEqual({ code, signal: null });
  });

  test('a drain past its deadline is logged and exits 1', async () => {
    const child = await started('--drain=never', '--deadline-ms=20');
    child.process.kill('SIGTERM');
    expect(await child.ended).toEqual({ code: 1, signal: null });
    expect(child.stderr()).toContain('the drain took too long');
  });

  test('a drain that fails is logged with its reason and exits 1', async () => {
    const child = await started('--drain=fails');
    child.process.kill('SIGTERM');
    expect(await child.ended).toEqual({ code: 1, signal: null });
    expect(child.stderr()).toContain('a socket would not close');
  });

  test('SIGHUP reloads, and the process goes on', async () => {
    const child = await started('--reload');
    child.process.kill('SIGHUP');
    await child.said('reloaded');
    child.process.kill('SIGTERM');
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });
});

describe('SIGHUP', () => {
  async function hangUp(...terminal: readonly boolean[]): Promise<{ drains: number; reloads: number }> {
    for (const there of terminal) vi.mocked(hasTerminal).mockReturnValueOnce(there);
    const log = { info: () => {}, error: () => {} };
    let deadlineMs = 0;
    const seen = { drains: 0, reloads: 0 };
    const ended = runUntilSignal({
      drain: async () => void seen.drains++,
      reload: () => void seen.reloads++,
      log,
      // As after a reload: the value at the end counts.
      get deadlineMs() {
        return deadlineMs;
      },
    });
    deadlineMs = 60_000;
    process.emit('SIGHUP', 'SIGHUP');
    const afterHangup = { ...seen };
    process.emit('SIGTERM', 'SIGTERM');
    expect(await ended).toBe(0);
    return afterHangup;
  }

  test('reloads where there is a terminal, and where there never was one', async () => {
    expect(await hangUp(true, true)).toEqual({ drains: 0, reloads: 1 });
    expect(await hangUp(false)).toEqual({ drains: 0, reloads: 1 });
  });

  test('drains when the terminal was closed', async () => {
    expect(await hangUp(true, false)).toEqual({ drains: 1, reloads: 0 });
  });
});

describe('a Ctrl-C that a wrapper passes on once more', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  test('is the same for a tenth of a second, and a second one after that', async () => {
    vi.useFakeTimers();
    // The real one does not return either.
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    let drained: () => void = () => {};
    const drain = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          drained = resolve;
        }),
    );
    const log = { info: () => {}, error: () => {} };
    const ended = runUntilSignal({ drain, log, deadlineMs: 60_000 });
    process.emit('SIGINT', 'SIGINT');
    process.emit('SIGINT', 'SIGINT');
    vi.advanceTimersByTime(99);
    process.emit('SIGTERM', 'SIGTERM');
    vi.advanceTimersByTime(1);
    expect(() => process.emit('SIGINT', 'SIGINT')).toThrow('exit 130');
    expect(drain).toHaveBeenCalledTimes(1);
    drained();
    expect(await ended).toBe(0);
  });
});
