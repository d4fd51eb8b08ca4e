import { foreignProtocol } from './foreign-protocol.ts';
import { FRAME_BYTES_CEILING, FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from './limits.ts';
import { ProtocolError } from './protocol-error.ts';

/** A frame with an empty body: it shows only that the peer is alive. */
export const HEARTBEAT_FRAME: Uint8Array = Uint8Array.of(0, 0, 0, FRAME_HEADER_BYTES);

/** Returns a frame: its total length as 4 bytes big-endian, then the body. */
export function encodeFrame(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(FRAME_HEADER_BYTES + body.length);
  writeFrameLength(frame);
  frame.set(body, FRAME_HEADER_BYTES);
  return frame;
}

/** Writes the length of a whole frame into its first four bytes. */
export function writeFrameLength(frame: Uint8Array): void {
  const length = frame.length;
  frame[0] = length >>> 24;
  frame[1] = length >>> 16;
  frame[2] = length >>> 8;
  frame[3] = length;
}

/** Returns the announced length of the frame at `at`, its four bytes included. */
export function frameLength(bytes: Uint8Array, at: number): number {
  // `>>> 0`, because the length is unsigned: 0xffffffff is 4 GiB and not -1.
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

/** Receives one frame, header included, from `start` to `end`. Returns whether to continue. */
export type ReceiveFrame = (bytes: Uint8Array, start: number, end: number) => boolean;

/**
 * Cuts a byte stream into frames, however the stream was split.
 *
 * A frame within a chunk is a slice of it, not a copy. A partial frame is kept in one buffer, which
 * grows with the received bytes and not with the announced length. So a peer makes the decoder keep
 * at most twice the bytes that it sent.
 */
export class FrameDecoder {
  #frameBytesMax: number;
  #partial: Uint8Array = new Uint8Array(0);
  #partialBytes = 0;

  /** `frameBytesMax` is the limit for a frame, header included, from 4 bytes to 128 MiB. */
  constructor(frameBytesMax: number = FRAME_BYTES_MAX) {
    this.#frameBytesMax = checkedLimit(frameBytesMax);
  }

  /** Bytes of a partial frame; 0 between frames. */
  get pendingBytes(): number {
    return this.#partialBytes;
  }

  /** The limit before the handshake is lower than the one after it. */
  set frameBytesMax(frameBytesMax: number) {
    this.#frameBytesMax = checkedLimit(frameBytesMax);
  }

  /**
   * Calls `receive` with each complete frame, header included. A frame is valid as long as the
   * chunk is. Throws ProtocolError `bad_length` for a length below 4 or above the limit, as soon as
   * its four bytes have arrived. The stream cannot be read any further then.
   */
  push(chunk: Uint8Array, receive: (frame: Uint8Array) => void): void {
    this.cut(chunk, (bytes, start, end) => {
      receive(bytes.subarray(start, end));
      return true;
    });
  }

  /**
   * Calls `receive` with the start and end of each complete frame, without an object per frame.
   * Returns how much of the chunk was read: all of it, unless `receive` returned false. The caller
   * must continue with the rest, before any other chunk.
   */
  cut(chunk: Uint8Array, receive: ReceiveFrame): number {
    let at = 0;
    if (this.#partialBytes > 0) {
      at = this.#complete(chunk);
      const frame = this.#removeComplete();
      if (frame !== undefined && !receive(frame, 0, frame.length)) return at;
    }
    while (chunk.length - at >= FRAME_HEADER_BYTES) {
      const end = at + this.#checkedLength(chunk, at);
      if (end > chunk.length) break;
      const goesOn = receive(chunk, at, end);
      at = end;
      if (!goesOn) return at;
    }
    if (at < chunk.length) this.#hold(chunk.subarray(at));
    return chunk.length;
  }

  /** Adds to the partial frame. Returns how many bytes of the chunk it used. */
  #complete(chunk: Uint8Array): number {
    let at = 0;
    if (this.#partialBytes < FRAME_HEADER_BYTES) {
      at = Math.min(FRAME_HEADER_BYTES - this.#partialBytes, chunk.length);
      this.#hold(chunk.subarray(0, at));
      if (this.#partialBytes < FRAME_HEADER_BYTES) return at;
    }
    const length = this.#checkedLength(this.#partial, 0);
    const taken = Math.min(length - this.#partialBytes, chunk.length - at);
    this.#hold(chunk.subarray(at, at + taken));
    return at + taken;
  }

  /** Removes and returns the partial frame once it is complete. */
  #removeComplete(): Uint8Array | undefined {
    if (this.#partialBytes < FRAME_HEADER_BYTES) return undefined;
    const length = frameLength(this.#partial, 0);
    if (this.#partialBytes < length) return undefined;
    const frame = this.#partial.subarray(0, length);
    this.#partial = new Uint8Array(0);
    this.#partialBytes = 0;
    return frame;
  }

  #hold(bytes: Uint8Array): void {
    const needed = this.#partialBytes + bytes.length;
    if (needed > this.#partial.length) {
      const grown = new Uint8Array(Math.max(needed, Math.min(2 * needed, this.#frameBytesMax)));
      grown.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = grown;
    }
    this.#partial.set(bytes, this.#partialBytes);
    this.#partialBytes = needed;
  }

  #checkedLength(bytes: Uint8Array, at: number): number {
    const length = frameLength(bytes, at);
    if (length < FRAME_HEADER_BYTES || length > this.#frameBytesMax) {
      throw new ProtocolError('bad_length', lengthFault(length, this.#frameBytesMax));
    }
    return length;
  }
}

function lengthFault(length: number, frameBytesMax: number): string {
  const foreign = foreignProtocol(length);
  if (foreign === 'TLS') {
    return 'The other end speaks TLS, and this end does not. Turn TLS on at both ends or at neither.';
  }
  if (foreign !== undefined) return `The other end speaks ${foreign} instead of frames. Check the port.`;
  return `A frame of ${length} bytes was announced; ${FRAME_HEADER_BYTES} to ${frameBytesMax} are allowed.`;
}

function checkedLimit(frameBytesMax: number): number {
  if (frameBytesMax >= FRAME_HEADER_BYTES && frameBytesMax <= FRAME_BYTES_CEILING) return frameBytesMax;
  throw new RangeError(
    `frameBytesMax must be ${FRAME_HEADER_BYTES} to ${FRAME_BYTES_CEILING}, not ${frameBytesMax}.`,
  );
}
