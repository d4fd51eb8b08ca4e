/** Listener of a FrameReader. */
export interface FrameSink {
  /**
   * A frame with the payload `bytes[start..end)`. The bytes belong to the reader and may change
   * after the call.
   */
  frame(opcode: number, final: boolean, bytes: Uint8Array, start: number, end: number): void;
  /** The server violated the protocol; further input is ignored. */
  frameError(reason: string): void;
}

/**
 * Limit of a frame in bytes. A longer one ends the connection: no message of a load test is that
 * long.
 */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Initial buffer of a frame that spans reads. It grows as bytes arrive, never by the length that a
 * header claims.
 */
const HELD_BYTES_FIRST = 512;

const HEAD_BYTES_MIN = 2;

/**
 * Splits a server's bytes into WebSocket frames, in place: only a frame that spans reads is copied.
 * Server frames are not masked, and no extension is negotiated.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  #held: Buffer | undefined;
  #heldBytes = 0;
  #failed = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Reads the first `length` of `bytes`. */
  read(bytes: Uint8Array, length: number): void {
    let at = this.#held === undefined ? 0 : this.#fill(bytes, 0, length);
    while (at < length && !this.#failed) {
      const size = this.#frameBytes(bytes, at, length);
      if (size > length - at) {
        if (this.#failed) return;
        this.#fill(bytes, at, length);
        return;
      }
      this.#emit(bytes, at, at + size);
      at += size;
    }
  }

  /**
   * Returns the length of the frame at `at`; while its header is incomplete, the bytes needed to
   * know more.
   */
  #frameBytes(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < HEAD_BYTES_MIN) return HEAD_BYTES_MIN;
    const short = bytes[at + 1] ?? 0;
    if (short < 126) return HEAD_BYTES_MIN + short;
    if (short > 127) return this.#fail('a masked frame');
    const head = short === 126 ? 4 : 10;
    if (end - at < head) return head;
    let size = 0;
    for (let index = at + HEAD_BYTES_MIN; index < at + head; index++) size = size * 256 + (bytes[index] ?? 0);
    return size > FRAME_BYTES_MAX ? this.#fail(`a frame of ${size} bytes`) : head + size;
  }

  #emit(bytes: Uint8Array, at: number, end: number): void {
    const first = bytes[at] ?? 0;
    if ((first & 0x70) !== 0) {
      this.#fail('a frame of an extension that was not agreed on');
      return;
    }
    const short = bytes[at + 1] ?? 0;
    const head = short < 126 ? HEAD_BYTES_MIN : short === 126 ? 4 : 10;
    this.#sink.frame(first & 0x0f, (first & 0x80) !== 0, bytes, at + head, end);
  }

  /**
   * Copies the bytes of the frame at `from` until it is complete or no bytes are left; returns
   * where it stopped.
   */
  #fill(bytes: Uint8Array, from: number, end: number): number {
    let at = from;
    let held = this.#held ?? Buffer.allocUnsafeSlow(HELD_BYTES_FIRST);
    for (;;) {
      const size = this.#frameBytes(held, 0, this.#heldBytes);
      if (this.#failed) return end;
      if (size <= this.#heldBytes) {
        const whole = this.#heldBytes;
        this.#held = undefined;
        this.#heldBytes = 0;
        this.#emit(held, 0, whole);
        return at;
      }
      if (at === end) {
        this.#held = held;
        return at;
      }
      const taken = Math.min(size - this.#heldBytes, end - at);
      held = withRoom(held, this.#heldBytes, this.#heldBytes + taken);
      held.set(bytes.subarray(at, at + taken), this.#heldBytes);
      this.#heldBytes += taken;
      at += taken;
    }
  }

  #fail(what: string): number {
    this.#failed = true;
    this.#held = undefined;
    this.#sink.frameError(`the server sent ${what}`);
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Returns the same bytes in a buffer that holds `needed` of them: the old one, or one at least
 * twice as long.
 */
function withRoom(held: Buffer, used: number, needed: number): Buffer {
  if (needed <= held.length) return held;
  const grown = Buffer.allocUnsafeSlow(Math.max(needed, held.length * 2));
  held.copy(grown, 0, 0, used);
  return grown;
}
