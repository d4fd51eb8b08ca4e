import { ConfigError, SILENT_LOG } from '@groupcast/service';
import { untilTurn } from '@groupcast/testkit/in-process';
import { beforeEach, expect, test, vi } from 'vitest';
import { ReloadError } from './errors.ts';
import type { GatewaySettings } from './generation.ts';
import type { Primary } from './primary.ts';
import { Reloads } from './reloads.ts';

/** The reloads under way: what ends them, with the number of workers that they were asked for. */
const running: { readonly workers: number; readonly end: (error?: Error) => void }[] = [];
const log = { ...SILENT_LOG, error: vi.fn() };
let read: () => Pick<GatewaySettings, 'workers'>;
let reloads: Reloads;

beforeEach(() => {
  running.length = 0;
  log.error.mockClear();
  const primary = {
    generation: 1,
    reloadPhase: 'idle',
    reload: ({ workers }: GatewaySettings) =>
      new Promise<void>((resolve, reject) => {
        running.push({ workers, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  } as unknown as Primary;
  reloads = new Reloads(primary, () => read() as GatewaySettings, log);
});

test('requests during a reload share one more, with the settings of that time', async () => {
  read = () => ({ workers: 1 });
  const asked = reloads.ask();
  read = () => ({ workers: 2 });
  void reloads.ask();
  void reloads.ask();
  read = () => ({ workers: 3 });
  expect(running.map(({ workers }) => workers)).toEqual([1]);
  expect(reloads.stats()).toEqual({ generation: 1, state: 'starting', asked: 3, done: 0, failed: 0 });
  running[0]?.end();
  await untilTurn(() => running.length === 2);
  expect(reloads.stats()).toMatchObject({ state: 'starting', done: 1 });
  running[1]?.end();
  await asked;
  expect(running.map(({ workers }) => workers)).toEqual([1, 3]);
  expect(reloads.stats()).toEqual({ generation: 1, state: 'idle', asked: 3, done: 2, failed: 0 });
});

test('invalid settings start nothing, and each problem is logged', async () => {
  read = () => {
    throw new ConfigError(['One is wrong.', 'Another is, too.']);
  };
  await reloads.ask();
  expect(running).toEqual([]);
  const error = 'One is wrong. Another is, too.';
  expect(reloads.stats()).toEqual({ generation: 1, state: 'idle', asked: 1, done: 0, failed: 1, error });
  const fields = { code: 'invalid_config' };
  expect(log.error.mock.calls).toEqual([
    [fields, 'not reloaded: One is wrong.'],
    [fields, 'not reloaded: Another is, too.'],
  ]);
});

test('a successful reload clears the error of a failed one', async () => {
  read = () => ({ workers: 1 });
  const failing = reloads.ask();
  running[0]?.end(new ReloadError('too_slow', 'It took too long.'));
  await failing;
  expect(reloads.stats()).toMatchObject({ failed: 1, error: 'It took too long.' });
  const done = reloads.ask();
  running[1]?.end();
  await done;
  expect(reloads.stats()).toEqual({ generation: 1, state: 'idle', asked: 2, done: 1, failed: 1 });
});

test('an unexpected error is logged with its stack, and the next reload runs', async () => {
  read = () => ({ workers: 1 });
  const failing = reloads.ask();
  const error = new TypeError('x is not a function');
  running[0]?.end(error);
  await failing;
  expect(log.error).toHaveBeenCalledWith({ error }, 'not reloaded: x is not a function');
  const done = reloads.ask();
  running[1]?.end();
  await done;
  expect(reloads.stats()).toMatchObject({ done: 1, failed: 1 });
});
