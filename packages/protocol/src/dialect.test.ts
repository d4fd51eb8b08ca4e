import { expect, test } from 'vitest';
import { dialectOf } from './dialect.ts';

test('every first byte names its dialect, or none', () => {
  for (let byte = 0; byte < 256; byte++) {
    const expected = byte < 0x20 ? 'native' : { [0x7b]: 'json', [0x61]: 'php' }[byte];
    expect(dialectOf(byte), `0x${byte.toString(16)}`).toBe(expected);
  }
});
