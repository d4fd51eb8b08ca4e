import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader } from './frame-reader.ts';

interface Seen {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: string;
}

function readAll(chunks: readonly Uint8Array[]): { frames: Seen[]; errors: string[] } {
  const frames: Seen[] = [];
  const errors: string[] = [];
  const reader = new FrameReader({
    frame: (opcode, final, bytes, start, end) =>
      frames.push({ opcode, final, payload: Buffer.from(bytes.slice(start, end)).toString('latin1') }),
    frameError: (reason) => errors.push(reason),
  });
  // As the sockets do it: every read overwrites one buffer.
  const shared = Buffer.alloc(200_000);
  for (const chunk of chunks) {
    shared.fill(0xff);
    shared.set(chunk);
    reader.read(shared, chunk.length);
  }
  return { frames, errors };
}

function serverFrame(first: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? [first, length]
      : length < 65_536
        ? [first, 126, length >> 8, length & 0xff]
        : [first, 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff];
  return Buffer.concat([Buffer.from(head), payload]);
}

const HELLO = Buffer.from('810548656c6c6f', 'hex');
const PING = Buffer.from('8900', 'hex');
const FRAGMENT = Buffer.from('010161', 'hex');
const LONG = serverFrame(0x82, Buffer.alloc(300, 'y'));
const HUGE = serverFrame(0x81, Buffer.alloc(70_000, 'z'));
const ALL = Buffer.concat([HELLO, PING, LONG, FRAGMENT, HUGE, HELLO]);
const EXPECTED: Seen[] = [
  { opcode: 1, final: true, payload: 'Hello' },
  { opcode: 9, final: true, payload: '' },
  { opcode: 2, final: true, payload: 'y'.repeat(300) },
  { opcode: 1, final: false, payload: 'a' },
  { opcode: 1, final: true, payload: 'z'.repeat(70_000) },
  { opcode: 1, final: true, payload: 'Hello' },
];

describe('frames', () => {
  test('of all lengths, in one read', () => {
    expect(readAll([ALL])).toEqual({ frames: EXPECTED, errors: [] });
  });

  test('byte by byte', () => {
    const bytes = Array.from(ALL, (byte) => Uint8Array.of(byte));
    expect(readAll(bytes)).toEqual({ frames: EXPECTED, errors: [] });
  });

  test('split anywhere', () => {
    const cuts = fc.array(fc.nat(ALL.length), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (places) => {
        const ends = [...places, ALL.length].sort((a, b) => a - b);
        const chunks = ends.map((end, index) => ALL.subarray(ends[index - 1] ?? 0, end));
        expect(readAll(chunks)).toEqual({ frames: EXPECTED, errors: [] });
      }),
    );
  });
});

test.each([
  ['a masked frame', '818000000000'],
  ['a frame of an extension that was not agreed on', 'c100'],
  ['a frame of 16777217 bytes', '817f0000000001000001'],
  ['a frame of 18446744073709552000 bytes', '817fffffffffffffffff'],
])('%s ends the reading, whole and byte by byte', (what, hex) => {
  const bytes = Buffer.concat([HELLO, Buffer.from(hex, 'hex'), HELLO]);
  const expected = { frames: [EXPECTED[0]], errors: [`the server sent ${what}`] };
  expect(readAll([bytes])).toEqual(expected);
  expect(readAll(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(expected);
});
