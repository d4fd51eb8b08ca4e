import { limits } from '@groupcast/protocol';
import type { Random } from '../faults/random.ts';

type Mutation = (random: Random, bytes: Buffer, other: Buffer) => Buffer;

const EXTREME_TEXTS = [
  '0',
  '-1',
  '-0',
  '+5',
  '007',
  '65536',
  '2147483648',
  '4294967295',
  '9007199254740993',
  '9223372036854775808',
  '99999999999999999999999999',
  '1e400',
  'NAN',
] as const;

const EXTREME_BYTES = [0x00, 0x01, 0x7f, 0x80, 0xff] as const;

/**
 * Mutations of a frame, by name. `other` is another frame. Each returns a new frame, or the same if
 * it does not apply.
 */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flip: (random, bytes) => {
    const at = random.between(0, bytes.length - 1);
    return overwritten(bytes, at, Buffer.of((bytes[at] ?? 0) ^ (1 << random.between(0, 7))));
  },
  truncate: (random, bytes) => bytes.subarray(0, random.between(1, bytes.length)),
  splice: (random, bytes, other) =>
    Buffer.concat([
      bytes.subarray(0, random.between(1, bytes.length)),
      other.subarray(random.between(0, other.length)),
    ]),
  duplicate: (random, bytes) => {
    const { start, end } = slice(random, bytes);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
  },
  cut: (random, bytes) => {
    const { start, end } = slice(random, bytes);
    return Buffer.concat([bytes.subarray(0, start), bytes.subarray(Math.max(end, start === 0 ? 1 : start))]);
  },
  swap: (random, bytes) => {
    const one = random.between(0, bytes.length - 1);
    const other = random.between(0, bytes.length - 1);
    const swapped = overwritten(bytes, one, Buffer.of(bytes[other] ?? 0));
    return overwritten(swapped, other, Buffer.of(bytes[one] ?? 0));
  },
  /** A number in text. */
  number: (random, bytes) => {
    const numbers = [...bytes.toString('latin1').matchAll(/\d+/g)];
    if (numbers.length === 0) return bytes;
    const { 0: text, index } = random.pick(numbers);
    const before = bytes.subarray(0, index);
    return Buffer.concat([
      before,
      Buffer.from(random.pick(EXTREME_TEXTS)),
      bytes.subarray(index + text.length),
    ]);
  },
  /** A number in one, two or four bytes. */
  binary: (random, bytes) => {
    const count = random.pick([1, 2, 4]);
    return overwritten(
      bytes,
      random.between(0, bytes.length - 1),
      Buffer.alloc(count, random.pick(EXTREME_BYTES)),
    );
  },
};

const ALL = Object.values(MUTATIONS);

/** Share of mutated frames whose length is corrected; otherwise their content is not read. */
const RIGHT_LENGTH_SHARE = 0.9;

/** Returns a frame after one to three mutations. Never empty. */
export function mutate(random: Random, frame: Uint8Array, other: Uint8Array): Uint8Array {
  let body = Buffer.from(frame.subarray(limits.FRAME_HEADER_BYTES));
  const otherBody = Buffer.from(other.subarray(limits.FRAME_HEADER_BYTES));
  for (let left = random.between(1, 3); left > 0 && body.length > 0; left--) {
    body = Buffer.from(random.pick(ALL)(random, body, otherBody));
  }
  const length = limits.FRAME_HEADER_BYTES + body.length;
  const header = Buffer.alloc(limits.FRAME_HEADER_BYTES);
  header.writeUInt32BE(random.next() < RIGHT_LENGTH_SHARE ? length : lie(random, length));
  return Buffer.concat([header, body]);
}

function lie(random: Random, length: number): number {
  return random.pick([0, 1, 3, 4, 5, length - 1, length + 1, 2 * length, 0x7fffffff, 0xffffffff]);
}

function slice(random: Random, bytes: Uint8Array): { readonly start: number; readonly end: number } {
  const start = random.between(0, bytes.length - 1);
  return { start, end: random.between(start, bytes.length) };
}

function overwritten(bytes: Buffer, at: number, by: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  by.copy(copy, at);
  return copy;
}
