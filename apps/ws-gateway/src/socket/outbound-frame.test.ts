import { expect, test } from 'vitest';
import { payloadsOf, textFrame, textFrames } from './outbound-frame.ts';

test('a short text has a length of 7 bits (the example of RFC 6455, section 5.7)', () => {
  expect(textFrame('Hello').toString('hex')).toBe('810548656c6c6f');
  expect(textFrame('').toString('hex')).toBe('8100');
  expect(textFrame('€').toString('hex')).toBe('8103e282ac');
});

test.each([
  [125, '817d'],
  [126, '817e007e'],
  [65_535, '817effff'],
  [65_536, '817f0000000000010000'],
])('the length of %i bytes is written as %s', (bytes, header) => {
  const frame = textFrame('x'.repeat(bytes));
  expect(frame.subarray(0, header.length / 2).toString('hex')).toBe(header);
  expect(frame.length).toBe(header.length / 2 + bytes);
  expect(textFrames([Buffer.from('x'.repeat(bytes))]).equals(frame)).toBe(true);
});

test('frames of one turn lie one after another, and their payloads are found again', () => {
  const texts = ['', 'one', 'zwei €', 'x'.repeat(126), 'y'.repeat(70_000), 'last'];
  const frames = textFrames(texts.map((text) => Buffer.from(text)));
  expect(frames.equals(Buffer.concat(texts.map(textFrame)))).toBe(true);
  expect(payloadsOf(frames).map((payload) => Buffer.from(payload).toString())).toEqual(texts);
  expect(textFrames([]).length).toBe(0);
});
