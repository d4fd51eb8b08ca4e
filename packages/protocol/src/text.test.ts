import { describe, expect, test } from 'vitest';
import { decodeText, encodeText } from './text.ts';

describe('decodeText', () => {
  test.each([
    ['a byte that never occurs', [0xff]],
    ['a continuation without a beginning', [0x80]],
    ['a beginning without a continuation', [0xe3, 0x81]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('rejects %s, and reads the next text', (_, bytes) => {
    expect(() => decodeText(Uint8Array.from(bytes))).toThrow(TypeError);
    expect(decodeText(encodeText('あ'))).toBe('あ');
  });

  test('keeps a byte order mark, which is a character like any other', () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  });
});
