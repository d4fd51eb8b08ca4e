import { describe, expect, test } from 'vitest';
import { encodeNative } from '../../testing/encode-native.ts';
import { bytesOf, fromGolden, hexOf, readGolden, type Vector } from '../../testing/golden.ts';
import { everySplit } from '../../testing/splits.ts';
import { FrameDecoder } from '../frame.ts';
import { PROOF_BYTES } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { decodeNative, type NativeMessage } from './message.ts';
import { OPCODES } from './opcode.ts';

interface GoldenMessage {
  readonly type: string;
  readonly publication?: { readonly payload: string };
  /** Sizes of the fields before the payload of an item. */
  readonly payload?: string;
  readonly otherProof?: string;
  readonly after_key?: string;
}

const golden = readGolden<{
  messages: Vector<GoldenMessage>[];
  later: Vector<GoldenMessage>[];
  refused: Vector<never>[];
}>('native.json');

/** Bytes at the end of a message that may be missing altogether: fields of the capabilities. */
const OPTIONAL_BYTES: Readonly<Record<string, (message: GoldenMessage) => number>> = {
  hello: () => 4,
  welcome: () => 4,
  history: ({ after_key: key = '' }) => 7 + Buffer.byteLength(key),
  challenge: ({ otherProof }) => (otherProof === undefined ? 0 : PROOF_BYTES),
};

function errorOf(frame: Uint8Array): string {
  try {
    decodeNative(frame);
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

describe('golden messages', () => {
  test.each(golden.messages)('$name', ({ hex, message }) => {
    const expected = fromGolden(message) as NativeMessage;
    expect(decodeNative(bytesOf(hex))).toEqual(expected);
    expect(hexOf(encodeNative(expected))).toBe(hex);
  });

  test.each(golden.messages)('$name, from the stream', ({ hex, message }) => {
    const expected = fromGolden(message);
    for (const { how, chunks } of everySplit(bytesOf(hex))) {
      const decoder = new FrameDecoder();
      const messages: NativeMessage[] = [];
      for (const chunk of chunks) decoder.push(chunk, (frame) => messages.push(decodeNative(frame)));
      expect(messages, how).toEqual([expected]);
    }
  });

  test.each(golden.later)('$name, which are ignored', ({ hex, message }) => {
    expect(decodeNative(bytesOf(hex))).toEqual(fromGolden(message));
  });

  test('there is one for each opcode', () => {
    const seen = new Set(golden.messages.map(({ hex }) => bytesOf(hex)[4]));
    expect([...seen].sort((a, b) => (a ?? 0) - (b ?? 0))).toEqual(Object.values(OPCODES));
  });
});

describe('golden rejections', () => {
  test.each(golden.refused)('$name', ({ hex, error }) => {
    expect(errorOf(bytesOf(hex))).toBe(error);
  });

  test('each is one whole frame, so that the message is what is rejected', () => {
    for (const { name, hex } of golden.refused) {
      const frames: string[] = [];
      new FrameDecoder().push(bytesOf(hex), (frame) => frames.push(hexOf(frame)));
      expect(frames, name).toEqual([hex]);
    }
  });
});

describe('truncation', () => {
  test('no message can be truncated, except a payload, and all of the optional fields', () => {
    for (const { name, hex, message } of golden.messages) {
      const frame = bytesOf(hex);
      const payload = ((message.publication ?? message).payload?.length ?? 0) / 2;
      const optional = OPTIONAL_BYTES[message.type]?.(message) ?? 0;
      for (let length = 4; length < frame.length - payload; length++) {
        if (length === frame.length - optional) continue;
        expect(errorOf(frame.subarray(0, length)), `${name}, cut to ${length}`).toBe('bad_frame');
      }
    }
  });

  test.each(Array.from({ length: 256 }, (_, opcode) => opcode).filter((op) => op === 0 || op > 0x15))(
    'opcode %d is unknown',
    (opcode) => {
      expect(errorOf(Uint8Array.of(0, 0, 0, 6, opcode, 0))).toBe('bad_frame');
    },
  );
});
