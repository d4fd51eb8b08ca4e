import type { HubWire } from './hub-wire.ts';

/** As much as a message and the beginning of the next can be apart. */
const HELD_BYTES_MAX = 64 * 1024;

/** Counts the messages of one subscriber where they lie, however the stream was cut. */
export class MessageCounter {
  count = 0;
  readonly #wire: HubWire;
  /** Called with each message that is none, and with each message when `everyMessage`. */
  readonly #other: (text: string) => void;
  readonly #message: ((bytes: Buffer, payloadEnd: number) => void) | undefined;
  readonly #held = Buffer.alloc(2 * HELD_BYTES_MAX);
  #heldBytes = 0;

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
      // The message that was cut is completed in the held buffer, with as much as can belong to it.
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

  /** Reads whole messages until one ends behind `enough`; answers the end of the last one. */
  #read(bytes: Buffer, from: number, end: number, enough: number): number {
    let at = from;
    while (at < end && at <= enough) {
      const length = this.#wire.lengthAt(bytes, at, end);
      if (length === undefined || at + Math.abs(length) > end) break;
      at += Math.abs(length);
      if (length < 0) this.#other(bytes.toString('latin1', at + length, at));
      else this.#take(bytes, at);
    }
    return at;
  }

  #take(bytes: Buffer, end: number): void {
    this.count += 1;
    this.#message?.(bytes, end - this.#wire.tailBytes);
  }
}
