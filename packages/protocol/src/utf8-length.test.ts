import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText, encodeText } from './text.ts';
import { utf8ByteLength } from './utf8-length.ts';

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
