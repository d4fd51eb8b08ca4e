import type { Log } from '@groupcast/service';
import { expect, test } from 'vitest';
import { limitLog } from './limited-log.ts';

test('a flood of one kind of line leaves ten of it and a count, and every line of the others', () => {
  const lines: string[] = [];
  const record =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  const target: Log = {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
  };
  const { log, close } = limitLog(target);
  for (let index = 0; index < 1_000; index++) log.warn({ reason: 'bad_length' }, 'A peer was closed');
  log.warn({ reason: 'slow' }, 'A peer was closed');
  log.error({}, 'The hub failed');
  close();
  expect(lines.slice(0, 10)).toEqual(Array(10).fill('warn A peer was closed {"reason":"bad_length"}'));
  expect(lines.slice(10)).toEqual([
    'warn A peer was closed {"reason":"slow"}',
    'error The hub failed {}',
    'warn Log lines of one kind were held back {"kind":"A peer was closed: bad_length","heldBack":990}',
  ]);
});
