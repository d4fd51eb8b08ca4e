import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { isName, utf8Bytes } from './text.ts';

afterEach(() => vi.unstubAllGlobals());

test('counts any text in UTF-8 without a TextEncoder, which jsdom lacks', () => {
  vi.stubGlobal('TextEncoder', undefined);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(utf8Bytes(text)).toBe(new Blob([text]).size);
    }),
  );
  expect(utf8Bytes('aß語😀')).toBe(1 + 2 + 3 + 4);
});

test.each([
  ['', false],
  ['語', true],
  ['語a', false],
  ['\ud800', false],
  [3, false],
])('%j is a name of at most 3 bytes: %s', (text, is) => {
  expect(isName(text, 3)).toBe(is);
});
