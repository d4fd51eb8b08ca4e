import { expect, test } from 'vitest';
import { dialectOf } from './dialect.ts';

test('each first byte belongs to one dialect, or to none', () => {
  for (let byte = 0; byte < 256; byte++) {
    const expected = byte < 0x20 ? 'native' : { [0x7b]: 'json', [0x61]: 'php' }[byte];
    expect(dialectOf(byte), `0x${byte.toString(16)}`).toBe(expected);
  }
});
