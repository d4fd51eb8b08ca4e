import { describe, expect, test } from 'vitest';
import { ERROR_MESSAGE_BYTES_MAX } from '../limits.ts';
import { encodeText } from '../text.ts';
import { encodeError } from './error-message.ts';
import { decodeNative } from './message.ts';

function sent(message: string): string {
  const decoded = decodeNative(encodeError({ request: 1, code: 'internal_error', message }));
  return decoded.type === 'error' ? decoded.message : expect.unreachable();
}

describe('the message of an error', () => {
  test.each(['x', 'あ', '😀'])('of many "%s" is cut to what the wire takes', (character) => {
    const whole = character.repeat(Math.floor(ERROR_MESSAGE_BYTES_MAX / encodeText(character).length));
    expect(sent(whole)).toBe(whole);
    const cut = sent(whole.repeat(2));
    expect(encodeText(cut).length).toBeLessThanOrEqual(ERROR_MESSAGE_BYTES_MAX);
    expect(cut.length).toBeGreaterThan(300);
  });

  test('that consists of half surrogate pairs is still UTF-8', () => {
    expect(sent('\ud800'.repeat(1_000))).toMatch(/^\ufffd+$/);
  });

  test('a code longer than its field is not encoded', () => {
    expect(() => encodeError({ request: 1, code: 'c'.repeat(256), message: '' })).toThrow(RangeError);
  });
});
