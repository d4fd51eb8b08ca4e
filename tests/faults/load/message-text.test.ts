import { expect, test } from 'vitest';
import { readMessage, writeMessage } from './message-text.ts';

test('a message has its id and about the requested size', () => {
  const text = writeMessage('p1:7', 200);
  expect(Buffer.byteLength(text)).toBe(200);
  expect(readMessage(text)).toEqual({ id: 'p1:7', intact: true });
});

test('a message that exceeds the requested size is not padded', () => {
  expect(readMessage(writeMessage('publisher-1:1234567', 3))).toEqual({
    id: 'publisher-1:1234567',
    intact: true,
  });
});

test('any change of one character is detected', () => {
  const text = writeMessage('p1:7', 40);
  for (let at = 0; at < text.length; at++) {
    const changed = `${text.slice(0, at)}#${text.slice(at + 1)}`;
    expect(readMessage(changed).intact, changed).toBe(false);
  }
  expect(readMessage(text.slice(0, -1)).intact).toBe(false);
});

test.each([undefined, 1, {}, '', 'hello'])('%o is not intact', (text) => {
  expect(readMessage(text).intact).toBe(false);
});
