import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLogger, type LoggerOptions } from './logger.ts';

const written: string[] = [];

function logger(options: Partial<LoggerOptions>): ReturnType<typeof createLogger> {
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
  return createLogger({ name: 'groupcast-hub', level: 'info', format: 'json', ...options });
}

afterEach(() => {
  vi.restoreAllMocks();
  written.length = 0;
});

describe('JSON lines', () => {
  test('one line an event, with name, pid, bindings, ISO time, and the error with its cause', () => {
    const log = logger({ bindings: { worker: 2 } }).child({ role: 'r' });
    log.error({ error: new Error('outer', { cause: new Error('inner') }), value: 'a\nb' }, 'it failed');
    expect(written).toHaveLength(1);
    expect(written[0]?.indexOf('\n')).toBe(written[0]!.length - 1);
    const line = JSON.parse(written[0]!);
    expect(line).toMatchObject({
      name: 'groupcast-hub',
      pid: process.pid,
      worker: 2,
      role: 'r',
      value: 'a\nb',
    });
    expect(line).toMatchObject({ level: 50, msg: 'it failed' });
    expect(line.time).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(line.error.message).toContain('inner');
    expect(line.error.stack).toContain('logger.test.ts');
  });

  test('below the level nothing is written', () => {
    const log = logger({ level: 'warn' });
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.fatal('f');
    expect(written.map((line) => JSON.parse(line).msg)).toEqual(['w', 'f']);
  });

  test('credentials are not shown', () => {
    logger({}).info({ token: 'canary', peer: { secret: 'canary', authorization: 'canary' } }, 'hello');
    expect(written[0]).not.toContain('canary');
    expect(written[0]).toContain('[redacted]');
  });
});

test('pretty lines are one a line too, and fields stay escaped', () => {
  logger({ format: 'pretty' }).info({ name: 'x', said: '\u001b[2J\n' }, 'hello');
  expect(written).toHaveLength(1);
  expect(written[0]).toMatch(/hello.*\n$/);
  expect(written[0]).not.toContain('\u001b[2J');
});

test('level and format can be changed while it is in use', () => {
  const log = logger({ level: 'warn' });
  log.info('too early');
  log.adjust({ level: 'debug', format: 'pretty' });
  log.debug({ value: 1 }, 'for people');
  log.adjust({ level: 'error', format: 'json' });
  log.warn('too late');
  log.error('for machines');
  expect(written).toHaveLength(2);
  expect(written[0]).toMatch(/for people.*\n$/);
  expect(written[0]).not.toMatch(/^\{/);
  expect(JSON.parse(written[1]!).msg).toBe('for machines');
});
