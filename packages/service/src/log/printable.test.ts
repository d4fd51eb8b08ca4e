import { expect, test } from 'vitest';
import { printable } from './printable.ts';

test('plain text of any language stays as it is', () => {
  expect(printable('これはメッセージです 👋 "q" \\')).toBe('これはメッセージです 👋 "q" \\');
});

test.each([
  ['\r\n\t', '\\r\\n\\t'],
  ['\u001b[31mred\u0007', '\\x1b[31mred\\x07'],
  ['\u0000\u007f\u009b', '\\x00\\x7f\\x9b'],
  ['a\u2028b\u202ec\u2066', 'a\\u2028b\\u202ec\\u2066'],
  ['\ud800x\udc00', '\\ud800x\\udc00'],
])('%j is escaped', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('a long text is cut between characters, within its limit in bytes', () => {
  expect(printable('abcdef', 6)).toBe('abcdef');
  expect(printable('abcdefg', 6)).toBe('abc…');
  expect(printable('ああああ', 9)).toBe('ああ…');
  expect(printable('aaaa\u001b', 7)).toBe('aaaa…');
  expect(printable('abc', 2)).toBe('');
  for (const text of ['x'.repeat(61_440), '\u001b'.repeat(61_440), '👋'.repeat(20_000)]) {
    const shown = printable(text);
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(256);
    expect(shown.endsWith('…')).toBe(true);
  }
});
