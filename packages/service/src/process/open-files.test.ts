import { describe, expect, test } from 'vitest';
import { openFilesMax, openFilesMaxIn } from './open-files.ts';

describe('openFilesMaxIn', () => {
  test('the soft limit of the line about open files', () => {
    const limits = [
      'Limit                     Soft Limit           Hard Limit           Units     ',
      'Max processes             95925                95925                processes ',
      'Max open files            1024                 524288               files     ',
      'Max locked memory         8388608              8388608              bytes     ',
    ].join('\n');
    expect(openFilesMaxIn(limits)).toBe(1_024);
  });

  test.each(['', 'Max open files            unlimited            unlimited            files'])(
    'no number is no limit: %j',
    (limits) => {
      expect(openFilesMaxIn(limits)).toBe(Number.POSITIVE_INFINITY);
    },
  );

  test('this process has some', () => {
    expect(openFilesMax()).toBeGreaterThan(0);
  });
});
