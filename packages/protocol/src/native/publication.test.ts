import { describe, expect, test } from 'vitest';
import { bytesOf, hexOf, readGolden, type Vector } from '../../testing/golden.ts';
import { encodeText } from '../text.ts';
import {
  decodePublication,
  encodeDeliver,
  encodePublish,
  PUBLICATION_HEADER_BYTES,
  type Publication,
  turnIntoDeliver,
} from './publication.ts';

const PUBLICATION: Publication = {
  channel: 'group:1',
  kind: 'text',
  excludeSender: false,
  sender: 'ab',
  messageId: 'c',
  payload: encodeText('hi'),
  number: 1,
  meta: '',
  timeMs: 0,
  ephemeral: false,
  keyed: undefined,
};

describe('publications', () => {
  // 4 bytes of length, opcode, flags, channel length, sender length, message id length, meta
  // length, number, time.
  test('the layout in bytes', () => {
    const fields = { kind: 'json', excludeSender: true, number: 0x0102, timeMs: 0x0304, meta: '{}' } as const;
    expect(hexOf(encodePublish({ ...PUBLICATION, ...fields }))).toBe(
      `${'0000002a'}08${'06'}0007${'02'}01${'0002'}0000000000000102${'0000000000000304'}` +
        `${'67726f75703a31'}6162${'63'}7b7d${'6869'}`,
    );
  });

  test('names begin at the end of the header', () => {
    const frame = encodePublish(PUBLICATION);
    expect(PUBLICATION_HEADER_BYTES).toBe(28);
    expect(hexOf(frame.subarray(PUBLICATION_HEADER_BYTES)).startsWith('67726f75703a31')).toBe(true);
  });

  test('a PUBLISH and the DELIVER of the same publication differ in opcode, number and time only', () => {
    const { messages } = readGolden<{ messages: Vector<{ type: string }>[] }>('native.json');
    const publishes = messages.filter(({ message }) => message.type === 'publish');
    expect(publishes.length).toBeGreaterThan(5);
    for (const { name, hex } of publishes) {
      for (const offset of [1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
        const frame = bytesOf(hex);
        const expected = hexOf(encodeDeliver({ ...decodePublication(frame), number: offset, timeMs: 7 }));
        turnIntoDeliver(frame, offset, 7);
        expect(hexOf(frame), `${name} at ${offset}`).toBe(expected);
      }
    }
  });

  test('a frame within a larger buffer is changed in place', () => {
    const frame = encodePublish(PUBLICATION);
    const buffer = new Uint8Array(frame.length + 20).fill(0xee);
    buffer.set(frame, 10);
    turnIntoDeliver(buffer.subarray(10, 10 + frame.length), 2 ** 40 + 5, 2 ** 41);
    const delivered = encodeDeliver({ ...PUBLICATION, number: 2 ** 40 + 5, timeMs: 2 ** 41 });
    expect(hexOf(buffer)).toBe('ee'.repeat(10) + hexOf(delivered) + 'ee'.repeat(10));
  });

  test('the payload is a slice of the frame', () => {
    const frame = encodePublish(PUBLICATION);
    expect(decodePublication(frame).payload.buffer).toBe(frame.buffer);
  });

  test.each(['sender', 'messageId'] as const)('%s of 256 bytes does not fit', (field) => {
    const text = 'あ'.repeat(85);
    expect(decodePublication(encodePublish({ ...PUBLICATION, [field]: text }))[field]).toBe(text);
    expect(() => encodePublish({ ...PUBLICATION, [field]: `${text}x` })).toThrow(RangeError);
  });
});
