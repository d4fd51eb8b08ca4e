import { expect, test } from 'vitest';
import { openFilesMax } from './open-files.ts';

test.each<[string, number | undefined]>([
  [
    'Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096                 files',
    1024,
  ],
  ['Max open files            unlimited            unlimited            files', undefined],
  ['', undefined],
])('%j', (text, limit) => {
  expect(openFilesMax(text)).toBe(limit);
});
