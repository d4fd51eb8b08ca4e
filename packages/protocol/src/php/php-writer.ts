import { writeText } from '../text.ts';
import { utf8ByteLength } from '../utf8-length.ts';

const FIRST_BYTES = 64;

/** Collects the bytes of a PHP value. */
export class PhpWriter {
  #bytes: Uint8Array;
  #at = 0;

  /** `firstBytes` is the space before anything has to be copied. */
  constructor(firstBytes = FIRST_BYTES) {
    this.#bytes = new Uint8Array(firstBytes);
  }

  ascii(text: string): this {
    this.#reserve(text.length);
    for (let index = 0; index < text.length; index++) this.#bytes[this.#at++] = text.charCodeAt(index);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /**
   * Writes a PHP string, whose length counts bytes: a wrong one ends the PHP process that reads it.
   */
  string(bytes: Uint8Array): this {
    return this.ascii(`s:${bytes.length}:"`).raw(bytes).ascii('";');
  }

  /** Writes a text as UTF-8. Rejects half a surrogate pair. */
  text(text: string): this {
    const bytes = utf8ByteLength(text);
    if (bytes < 0) throw new RangeError('A text has half a surrogate pair.');
    this.ascii(`s:${bytes}:"`).#reserve(bytes);
    this.#at = writeText(this.#bytes, this.#at, text, bytes);
    return this.ascii('";');
  }

  /** Returns the bytes. The writer must not be used again. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}
