import { ProtocolError } from '../protocol-error.ts';
import { decodeText } from '../text.ts';

const UINT32 = 2 ** 32;

/** Reads the fields of one native frame. A field beyond the end is `bad_frame`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  u8(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new ProtocolError('bad_frame', 'The frame ends in the middle of a field.');
    this.#at += 1;
    return byte;
  }

  u16(): number {
    return this.u8() * 0x100 + this.u8();
  }

  u32(): number {
    return this.u16() * 0x10000 + this.u16();
  }

  /** Reads 8 bytes big-endian, at most 2^53 - 1. */
  u64(): number {
    const value = this.u32() * UINT32 + this.u32();
    if (!Number.isSafeInteger(value)) throw new ProtocolError('bad_frame', 'A number is above 2^53 - 1.');
    return value;
  }

  /** Returns a slice, not a copy. */
  bytes(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length)
      throw new ProtocolError('bad_frame', 'The frame ends in the middle of a field.');
    const slice = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return slice;
  }

  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at);
  }

  shortText(): string {
    return textOf(this.bytes(this.u8()));
  }

  text(): string {
    return textOf(this.bytes(this.u16()));
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }
}

export function textOf(bytes: Uint8Array): string {
  try {
    return decodeText(bytes);
  } catch (cause) {
    throw new ProtocolError('bad_frame', 'A text is not UTF-8.', { cause });
  }
}
