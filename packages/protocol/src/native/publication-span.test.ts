import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, readGolden, type Vector } from '../../testing/golden.ts';
import { encodeText } from '../text.ts';
import { decodePublication, encodePublish, type Publication } from './publication.ts';
import {
  channelAt,
  channelLengthAt,
  isKeyed,
  isPlainPublish,
  numberAt,
  senderAt,
  senderLengthAt,
  writeLife,
} from './publication-span.ts';

const PUBLICATION: Publication = {
  channel: 'group:1',
  kind: 'json',
  excludeSender: true,
  sender: 'me',
  messageId: '',
  payload: encodeText('{}'),
  number: 2 ** 40 + 7,
  meta: '{"uid":"a"}',
  timeMs: 0,
  ephemeral: false,
  keyed: undefined,
};

/** Returns whether the frame is plain, with other bytes around it. */
function isPlain(frame: Uint8Array): boolean {
  const bytes = new Uint8Array(frame.length + 40).fill(0x41);
  bytes.set(frame, 10);
  return isPlainPublish(bytes, 10, 10 + frame.length);
}

/**
 * Returns a frame with a channel of the length in its fields, which is above the limit of a name.
 */
function withLongChannel(): Uint8Array {
  const payload = new Uint8Array(400).fill(0x61);
  const frame = encodePublish({ ...PUBLICATION, sender: '', meta: '', payload });
  frame[6] = 321 >>> 8;
  frame[7] = 321 & 0xff;
  return frame;
}

/** Returns a frame with one byte replaced. */
function changed(at: number, byte: number): Uint8Array {
  const frame = encodePublish(PUBLICATION);
  frame[at] = byte;
  return frame;
}

describe('a PUBLISH within other bytes', () => {
  test('is plain, and its fields are found', () => {
    const frame = encodePublish(PUBLICATION);
    const bytes = new Uint8Array([1, 2, 3, ...frame, 4]);
    expect(isPlainPublish(bytes, 3, 3 + frame.length)).toBe(true);
    expect(numberAt(bytes, 3)).toBe(PUBLICATION.number);
    const at = channelAt(3);
    expect(Buffer.from(bytes.subarray(at, at + channelLengthAt(bytes, 3))).toString()).toBe('group:1');
    const from = senderAt(bytes, 3);
    expect(Buffer.from(bytes.subarray(from, from + senderLengthAt(bytes, 3))).toString()).toBe(
      PUBLICATION.sender,
    );
  });

  test.each<[string, Uint8Array]>([
    ['with a message id', encodePublish({ ...PUBLICATION, messageId: 'm' })],
    ['with a sender outside ASCII', encodePublish({ ...PUBLICATION, sender: 'é' })],
    ['that is another message', changed(4, 0x09)],
    ['of an unknown kind', changed(5, 0x03)],
    ['with an unknown flag', changed(5, 0x20)],
    ['that is ephemeral', encodePublish({ ...PUBLICATION, ephemeral: true })],
    ['that is keyed', encodePublish({ ...PUBLICATION, keyed: { key: 'k', lifeMs: 0 } })],
    ['with a meta outside ASCII', encodePublish({ ...PUBLICATION, meta: '"é"' })],
    ['with a meta above its limit', changed(10, 0x10)],
    ['with a long channel', withLongChannel()],
    ['whose channel runs past its end', changed(7, 100)],
    ['whose sender runs past its end', changed(8, 50)],
    ['whose meta runs past its end', changed(11, 50)],
    ['with a number above 2^53 - 1', changed(13, 0x20)],
    ['that is cut in its header', encodePublish(PUBLICATION).subarray(0, 28)],
  ])('%s is not plain', (_name, frame) => {
    expect(isPlain(frame)).toBe(false);
  });

  test('is plain only if decoding finds no error, except perhaps in the name', () => {
    const { messages } = readGolden<{ messages: Vector<{ type: string }>[] }>('native.json');
    const frames = messages
      .filter(({ message }) => message.type === 'publish')
      .map(({ hex }) => bytesOf(hex));
    let plain = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(fc.tuple(fc.integer({ min: 4, max: 38 }), fc.nat(255)), { maxLength: 2 }),
        (golden, changes) => {
          const frame = golden.slice();
          for (const [at, byte] of changes) if (at < frame.length) frame[at] = byte;
          if (!isPlain(frame)) return;
          plain += 1;
          try {
            const { messageId, number } = decodePublication(frame);
            expect(messageId).toBe('');
            expect(number).toBe(numberAt(frame, 0));
          } catch (error) {
            expect(String(error)).toMatch(/bad_channel|channel|UTF-8/i);
          }
        },
      ),
      { numRuns: 2_000 },
    );
    expect(plain).toBeGreaterThan(100);
  });
});

test('the life of a keyed publication is written in place, behind names of any length', () => {
  const names = { channel: 'c', sender: 'me', messageId: 'm1', meta: '{}' };
  for (const other of [{}, names, { ...names, channel: 'é'.repeat(160), meta: `"${'x'.repeat(300)}"` }]) {
    const keyed = { key: 'schlüssel', lifeMs: 5_000 };
    const frame = encodePublish({ ...PUBLICATION, ...other, keyed });
    const bytes = new Uint8Array([1, 2, 3, ...frame, 4]);
    expect(isKeyed(bytes, 3)).toBe(true);
    writeLife(bytes, 2 ** 40 + 1, 3);
    const expected = encodePublish({ ...PUBLICATION, ...other, keyed: { ...keyed, lifeMs: 2 ** 40 + 1 } });
    expect([...bytes]).toEqual([1, 2, 3, ...expected, 4]);
  }
  expect(isKeyed(encodePublish(PUBLICATION))).toBe(false);
});
