import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText, encodeText, utf8ByteLength } from './text.ts';

describe('utf8ByteLength', () => {
  test('is what the encoder makes of it, for every text that has a UTF-8 form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8ByteLength(text)).toBe(encodeText(text).length);
      }),
    );
  });

  test.each([
    ['\ud800\udc00', 4],
    ['\udbff\udfff', 4],
    ['\ud7ff\ue000', 6],
    ['\ud800\udbff', -1],
    ['\ud800\ue000', -1],
    ['\udc00\udc00', -1],
    ['\udfff', -1],
    ['\udbff', -1],
  ])('at the edges of surrogates: %j', (text, bytes) => {
    expect(utf8ByteLength(text)).toBe(bytes);
  });

  test('is -1 for exactly the texts that do not come back from UTF-8', () => {
    const unit = fc.oneof(fc.nat({ max: 0xffff }), fc.integer({ min: 0xd7ff, max: 0xe000 }));
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 8 }), (units) => {
        const text = String.fromCharCode(...units);
        expect(utf8ByteLength(text) === -1).toBe(decodeText(encodeText(text)) !== text);
      }),
    );
  });
});

describe('decodeText', () => {
  test.each([
    ['a byte that never occurs', [0xff]],
    ['a continuation without a beginning', [0x80]],
    ['a beginning without a continuation', [0xe3, 0x81]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('refuses %s, and reads the next text all the same', (_, bytes) => {
    expect(() => decodeText(Uint8Array.from(bytes))).toThrow(TypeError);
    expect(decodeText(encodeText('あ'))).toBe('あ');
  });

  test('keeps a byte order mark, which is a character of a name like any other', () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\ufeffa');
  });
});
