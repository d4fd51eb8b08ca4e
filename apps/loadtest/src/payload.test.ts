import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  blankPayload,
  isDigit,
  PAYLOAD_BYTES_MIN,
  readGroup,
  readSentUs,
  readSequence,
  stampPayload,
} from './payload.ts';

test('a payload is digits of fixed width, then filler', () => {
  const bytes = Buffer.from(blankPayload(42, 40));
  stampPayload(bytes, 0, 7, 1_234.9);
  expect(bytes.toString()).toBe('000000007 000042 00000000001234 xxxxxxxx');
  expect(isDigit(bytes[0] ?? 0)).toBe(true);
  expect(Buffer.byteLength(blankPayload(1, PAYLOAD_BYTES_MIN))).toBe(PAYLOAD_BYTES_MIN);
});

test('a stamp is read back at any position', () => {
  fc.assert(
    fc.property(
      fc.nat(999_999_999),
      fc.nat(999_999),
      fc.nat(99_999_999_999_999),
      fc.nat(20),
      (sequence, group, us, start) => {
        const bytes = Buffer.concat([Buffer.alloc(start, '9'), Buffer.from(blankPayload(group, 64))]);
        stampPayload(bytes, start, sequence, us);
        expect([readSequence(bytes, start), readGroup(bytes, start), readSentUs(bytes, start)]).toEqual([
          sequence,
          group,
          us,
        ]);
      },
    ),
  );
});

test('other messages are recognized as invalid', () => {
  const bytes = Buffer.from('00000x007 00004x 0000000000123x ');
  expect([readSequence(bytes, 0), readGroup(bytes, 0), readSentUs(bytes, 0)]).toEqual([-1, -1, -1]);
  expect(readSequence(Buffer.from('12'), 0)).toBe(-1);
});
