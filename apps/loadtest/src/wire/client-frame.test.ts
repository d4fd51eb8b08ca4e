import { expect, test } from 'vitest';
import { clientFrameHeadBytes, encodeClientFrame, OPCODE } from './client-frame.ts';

test('a short frame is final and masked with zero, with an unchanged payload', () => {
  expect(encodeClientFrame(OPCODE.text, 'Hello').toString('hex')).toBe('81850000000048656c6c6f');
});

test.each([
  [125, '82fd00000000'],
  [126, '82fe007e00000000'],
  [65_535, '82feffff00000000'],
  [65_536, '82ff000000000001000000000000'],
])('the head of %i bytes', (length, head) => {
  const frame = encodeClientFrame(OPCODE.binary, Buffer.alloc(length, 'x'));
  const start = clientFrameHeadBytes(length);
  expect(frame.toString('hex', 0, start)).toBe(head);
  expect(frame.length).toBe(start + length);
  expect(frame.toString('latin1', start)).toBe('x'.repeat(length));
});
