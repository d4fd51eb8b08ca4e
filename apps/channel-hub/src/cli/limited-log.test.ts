import type { Log } from '@groupcast/service';
import { expect, test } from 'vitest';
import { limitLog } from './limited-log.ts';

test('a flood of one kind of line is limited to ten and a count; other lines stay', () => {
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
  for (let index = 0; index < 1_000; index++) log.warn({ reason: 'bad_length' }, 'Peer closed');
  log.warn({ reason: 'slow' }, 'Peer closed');
  log.error({}, 'The hub failed');
  close();
  expect(lines.slice(0, 10)).toEqual(Array(10).fill('warn Peer closed {"reason":"bad_length"}'));
  expect(lines.slice(10)).toEqual([
    'warn Peer closed {"reason":"slow"}',
    'error The hub failed {}',
    'warn Log lines of one kind were held back {"kind":"Peer closed: bad_length","heldBack":990}',
  ]);
});
