import { writeFrameLength } from '../frame.ts';
import { FRAME_HEADER_BYTES, SHORT_TEXT_BYTES_MAX } from '../limits.ts';
import { encodeText } from '../text.ts';

const FIRST_BYTES = 64;
const UINT32 = 2 ** 32;

/** Writes the fields of one native frame; the length before them is written last. */
export class ByteWriter {
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #at = FRAME_HEADER_BYTES;

  constructor(opcode: number) {
    this.u8(opcode);
  }

  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  u16(value: number): this {
    return this.u8(value >>> 8).u8(value);
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value);
  }

  /** Writes a safe integer as 8 bytes big-endian. */
  u64(value: number): this {
    return this.u32(Math.floor(value / UINT32)).u32(value % UINT32);
  }

  bytes(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** Writes a text of at most 255 bytes after a one-byte length. */
  shortText(text: string): this {
    const bytes = encodeText(text);
    if (bytes.length > SHORT_TEXT_BYTES_MAX) {
      throw new RangeError(
        `A text of ${bytes.length} bytes does not fit a field of ${SHORT_TEXT_BYTES_MAX}.`,
      );
    }
    return this.u8(bytes.length).bytes(bytes);
  }

  /** Writes a text of at most 65,535 bytes after a two-byte length. */
  text(text: string): this {
    const bytes = encodeText(text);
    if (bytes.length > 0xffff)
      throw new RangeError(`A text of ${bytes.length} bytes does not fit a field of 65535.`);
    return this.u16(bytes.length).bytes(bytes);
  }

  /** Returns the whole frame. The writer must not be used again. */
  frame(): Uint8Array {
    const frame = this.#bytes.subarray(0, this.#at);
    writeFrameLength(frame);
    return frame;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
