import type { HubWire } from './hub-wire.ts';

/** Largest distance in bytes between a message and the beginning of the next. */
const HELD_BYTES_MAX = 64 * 1024;

/** Bytes by which kinds of messages differ, in text protocols. */
const KIND_AT = 5;
const LINE_END = 0x0a;

/** Counts the messages of one subscriber in place, however the stream is split. */
export class MessageCounter {
  count = 0;
  readonly #wire: HubWire;
  /** Called for everything else that is received, and for each message when `everyMessage`. */
  readonly #other: (text: string) => void;
  readonly #message: ((bytes: Buffer, payloadEnd: number) => void) | undefined;
  readonly #held = Buffer.alloc(2 * HELD_BYTES_MAX);
  #heldBytes = 0;
  #lastLength = 0;
  #firstByte = 0;
  #kindByte = 0;

  constructor(
    wire: HubWire,
    other: (text: string) => void,
    message?: (bytes: Buffer, payloadEnd: number) => void,
  ) {
    this.#wire = wire;
    this.#other = other;
    this.#message = message;
  }

  push(bytes: Buffer, length: number): void {
    let at = 0;
    if (this.#heldBytes > 0) {
      // Completes a split message in the held buffer, with the bytes that can belong to it.
      const held = this.#heldBytes;
      const taken = Math.min(length, HELD_BYTES_MAX);
      bytes.copy(this.#held, held, 0, taken);
      const done = this.#read(this.#held, 0, held + taken, held);
      if (done <= held) {
        this.#heldBytes = held + taken;
        return;
      }
      this.#heldBytes = 0;
      at = done - held;
    }
    const done = this.#read(bytes, at, length, Number.POSITIVE_INFINITY);
    bytes.copy(this.#held, 0, done, length);
    this.#heldBytes = length - done;
  }

  /** Reads complete messages until one ends behind `enough`; returns the end of the last one. */
  #read(bytes: Buffer, from: number, end: number, enough: number): number {
    let at = from;
    while (at < end && at <= enough) {
      const length = this.#isAlike(bytes, at, end) ? this.#lastLength : this.#wire.lengthAt(bytes, at, end);
      if (length === undefined || at + Math.abs(length) > end) break;
      at += Math.abs(length);
      if (length < 0) this.#other(bytes.toString('latin1', at + length, at));
      else this.#take(bytes, at, length);
    }
    return at;
  }

  /**
   * Whether a message with the length of the previous one is here: all of one load have it, and
   * parsing each would limit the load.
   */
  #isAlike(bytes: Buffer, at: number, end: number): boolean {
    const last = at + this.#lastLength - 1;
    return (
      this.#lastLength > 0 &&
      last < end &&
      this.#wire.tailBytes > 0 &&
      bytes[at] === this.#firstByte &&
      bytes[at + KIND_AT] === this.#kindByte &&
      bytes[last] === LINE_END
    );
  }

  #take(bytes: Buffer, end: number, length: number): void {
    this.count += 1;
    this.#lastLength = length;
    this.#firstByte = bytes[end - length] ?? 0;
    this.#kindByte = bytes[end - length + KIND_AT] ?? 0;
    this.#message?.(bytes, end - this.#wire.tailBytes);
  }
}
