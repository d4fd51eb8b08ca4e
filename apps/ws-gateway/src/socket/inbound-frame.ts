import { isUtf8 } from 'node:buffer';

// A client's frame, RFC 6455 section 5.2: FIN and opcode, the mask bit and the length in 7 or 16
// bits, four bytes of mask, the payload.
const FIN_TEXT = 0x81;
const FIN_PONG = 0x8a;
const MASKED = 0x80;
const LENGTH_BITS = 0x7f;
const LENGTH_7_MAX = 125;
const LENGTH_16 = 126;
const MASK_BYTES = 4;
const SHORT_HEADER_BYTES = 2 + MASK_BYTES;
const LONG_HEADER_BYTES = 4 + MASK_BYTES;

/**
 * Kind of frame at an offset in a chunk:
 * - `text`, `pong`: a whole ordinary frame, which ends at `end`;
 * - `partial`: the beginning of one, with its `end` still unknown;
 * - `other`: any other frame, which needs a complete parser.
 */
export type FrameKind = 'text' | 'pong' | 'partial' | 'other';

/**
 * Reads ordinary frames of a client in place: whole in one chunk, unfragmented, at most 64 KiB. All
 * connections share one reader, which keeps only the position of the last frame.
 */
export class InboundFrameReader {
  /** Offset of the end of the frame, when it is whole. */
  end = 0;
  #maskAt = 0;

  /** Parses the header of the frame at `at`, in a chunk of `chunkBytes`. */
  look(chunk: Uint8Array, at: number, chunkBytes: number, payloadBytesMax: number): FrameKind {
    const left = chunkBytes - at;
    if (left < 2) return 'partial';
    const first = chunk[at];
    const second = chunk[at + 1] ?? 0;
    if ((first !== FIN_TEXT && first !== FIN_PONG) || second < MASKED) return 'other';
    let length = second & LENGTH_BITS;
    let header = SHORT_HEADER_BYTES;
    if (length > LENGTH_7_MAX) {
      if (length !== LENGTH_16 || first === FIN_PONG) return 'other';
      if (left < LONG_HEADER_BYTES) return 'partial';
      length = ((chunk[at + 2] ?? 0) << 8) | (chunk[at + 3] ?? 0);
      header = LONG_HEADER_BYTES;
    }
    if (length > payloadBytesMax) return 'other';
    if (left < header + length) return 'partial';
    this.#maskAt = at + header - MASK_BYTES;
    this.end = at + header + length;
    return first === FIN_TEXT ? 'text' : 'pong';
  }

  /** Length of the last frame's payload, in bytes. */
  get payloadBytes(): number {
    return this.end - this.#maskAt - MASK_BYTES;
  }

  /** Returns the last frame's text; undefined, with the chunk unchanged, when it is not UTF-8. */
  text(chunk: Buffer): string | undefined {
    const start = this.#maskAt + MASK_BYTES;
    const { end } = this;
    const isAscii = this.#unmask(chunk) < 0x80;
    if (isAscii) return chunk.toString('latin1', start, end);
    if (isUtf8(chunk.subarray(start, end))) return chunk.toString('utf8', start, end);
    this.#unmask(chunk);
    return undefined;
  }

  /** Applies the mask to the payload in place; returns all result bytes or-ed together. */
  #unmask(chunk: Uint8Array): number {
    const at = this.#maskAt;
    const { end } = this;
    let bits = 0;
    const m0 = chunk[at] ?? 0;
    const m1 = chunk[at + 1] ?? 0;
    const m2 = chunk[at + 2] ?? 0;
    const m3 = chunk[at + 3] ?? 0;
    let index = at + MASK_BYTES;
    for (; index + 3 < end; index += 4) {
      const b0 = (chunk[index] ?? 0) ^ m0;
      const b1 = (chunk[index + 1] ?? 0) ^ m1;
      const b2 = (chunk[index + 2] ?? 0) ^ m2;
      const b3 = (chunk[index + 3] ?? 0) ^ m3;
      chunk[index] = b0;
      chunk[index + 1] = b1;
      chunk[index + 2] = b2;
      chunk[index + 3] = b3;
      bits |= b0 | b1 | b2 | b3;
    }
    for (; index < end; index++) {
      const byte = (chunk[index] ?? 0) ^ (chunk[at + ((index - at) & 3)] ?? 0);
      chunk[index] = byte;
      bits |= byte;
    }
    return bits;
  }
}
