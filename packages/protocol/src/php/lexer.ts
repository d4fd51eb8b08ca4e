import { PHP_FLOAT_BYTES_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { INT64_DIGITS_MAX, integerOf, type PhpInteger } from './php-integer.ts';

/** A whole scalar, or the beginning of an array. */
export type PhpLexeme = 'null' | 'boolean' | 'integer' | 'float' | 'string' | 'array';

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const LETTER_A = 0x41;
const LETTER_E = 0x45;
const LETTER_F = 0x46;
const LETTER_I = 0x49;
const LETTER_N = 0x4e;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Digits of a length or count that are read: more than a frame can hold. */
const COUNT_DIGITS_MAX = 10;

/** Below it an integer fits 64 bits, even if the number is not exact. */
const SURELY_INT64 = 9.2e18;

// O and C can run code in PHP, E names classes, S has bytes that are not the string's, and R and r
// make endless values out of few bytes.
const REFUSED_TAGS: ReadonlyMap<number, string> = new Map([
  [0x4f, 'an object (O)'],
  [0x43, 'an object (C)'],
  [0x45, 'an enum case (E)'],
  [0x53, 'an escaped string (S)'],
  [0x52, 'a reference (R)'],
  [0x72, 'a reference (r)'],
]);

/**
 * Reads lexemes of PHP's `serialize` format, one after the other. Rejects forms that PHP does not
 * write, except a plus before a number. A string is skipped by its length. The scanner decides
 * which lexeme may be where.
 */
export class PhpLexer {
  readonly #bytes: Uint8Array;
  readonly #first: number;
  readonly #end: number;
  #at: number;
  #start: number;
  #contentStart = 0;
  #contentEnd = 0;
  #count = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#first = start;
    this.#end = end;
    this.#at = start;
    this.#start = start;
  }

  /** Start of the last lexeme. */
  get start(): number {
    return this.#start;
  }

  /** End of the last lexeme, and start of the next one. */
  get at(): number {
    return this.#at;
  }

  get bytesLeft(): number {
    return this.#end - this.#at;
  }

  /** Announced number of elements of the array. */
  get count(): number {
    return this.#count;
  }

  boolean(): boolean {
    return this.#bytes[this.#contentStart] !== ZERO;
  }

  integer(): PhpInteger {
    return integerOf(this.#text()) ?? this.reject('an integer beyond 64 bits', this.#start);
  }

  float(): number {
    const text = this.#text();
    if (text === 'INF') return Number.POSITIVE_INFINITY;
    if (text === '-INF') return Number.NEGATIVE_INFINITY;
    return Number(text);
  }

  /** Returns a slice, not a copy. */
  string(): Uint8Array {
    return this.#bytes.subarray(this.#contentStart, this.#contentEnd);
  }

  next(): PhpLexeme {
    this.#start = this.#at;
    const tag = this.#byte();
    if (tag === 0x4e) {
      this.#expect(SEMICOLON);
      return 'null';
    }
    switch (tag) {
      case 0x62:
        return this.#boolean();
      case 0x69:
        return this.#integer();
      case 0x64:
        return this.#float();
      case 0x73:
        return this.#string();
      case 0x61:
        return this.#array();
      default:
        return this.reject(
          REFUSED_TAGS.get(tag) ?? `the unknown type 0x${tag.toString(16).padStart(2, '0')}`,
          this.#start,
        );
    }
  }

  /** Reads the byte that closes an array. */
  closes(): boolean {
    this.#start = this.#at;
    if (!this.#isAt(CLOSE)) return false;
    this.#at += 1;
    return true;
  }

  reject(what: string, at: number = this.#at): never {
    throw new ProtocolError('bad_frame', `The PHP value has ${what}, at byte ${at - this.#first}.`);
  }

  #boolean(): PhpLexeme {
    this.#expect(COLON);
    this.#contentStart = this.#at;
    const byte = this.#byte();
    if (byte !== ZERO && byte !== ZERO + 1) this.reject('a boolean that is neither 0 nor 1', this.#start);
    this.#expect(SEMICOLON);
    return 'boolean';
  }

  #integer(): PhpLexeme {
    this.#expect(COLON);
    this.#contentStart = this.#at;
    this.#sign();
    const magnitude = this.#digits(INT64_DIGITS_MAX);
    this.#contentEnd = this.#at;
    this.#expect(SEMICOLON);
    if (magnitude >= SURELY_INT64) this.integer();
    return 'integer';
  }

  /**
   * Reads a float in any form that `serialize` writes, with any precision, or with a plus before
   * it.
   */
  #float(): PhpLexeme {
    this.#expect(COLON);
    this.#contentStart = this.#at;
    const sign = this.#sign();
    if (this.#isAt(LETTER_I) && sign !== PLUS) this.#word(LETTER_I, LETTER_N, LETTER_F);
    else if (this.#isAt(LETTER_N) && sign === undefined) this.#word(LETTER_N, LETTER_A, LETTER_N);
    else this.#finiteFloat();
    this.#contentEnd = this.#at;
    this.#expect(SEMICOLON);
    return 'float';
  }

  #finiteFloat(): void {
    this.#digits(PHP_FLOAT_BYTES_MAX);
    if (this.#isAt(POINT)) {
      this.#at += 1;
      this.#skipDigits(PHP_FLOAT_BYTES_MAX);
    }
    if (this.#isAt(LETTER_E)) {
      this.#at += 1;
      if (this.#sign() === undefined) this.reject('an exponent without a sign');
      this.#skipDigits(PHP_FLOAT_BYTES_MAX);
    }
    if (this.#at - this.#contentStart > PHP_FLOAT_BYTES_MAX) {
      this.reject(`a float of more than ${PHP_FLOAT_BYTES_MAX} bytes`, this.#start);
    }
  }

  #word(...letters: readonly number[]): void {
    for (const letter of letters) this.#expect(letter);
  }

  #string(): PhpLexeme {
    this.#expect(COLON);
    const length = this.#digits(COUNT_DIGITS_MAX);
    this.#expect(COLON);
    this.#expect(QUOTE);
    this.#contentStart = this.#at;
    // The bytes, a quote and a semicolon must follow.
    if (length + 2 > this.#end - this.#at)
      this.reject('a string longer than the remaining bytes', this.#start);
    this.#at += length;
    this.#contentEnd = this.#at;
    this.#expect(QUOTE);
    this.#expect(SEMICOLON);
    return 'string';
  }

  #array(): PhpLexeme {
    this.#expect(COLON);
    this.#count = this.#digits(COUNT_DIGITS_MAX);
    this.#expect(COLON);
    this.#expect(OPEN);
    return 'array';
  }

  /** Reads decimal digits as PHP writes them, without leading zeros. */
  #digits(digitsMax: number): number {
    const start = this.#at;
    const value = this.#skipDigits(digitsMax);
    if (this.#bytes[start] === ZERO && this.#at > start + 1) {
      this.reject('a number that begins with 0', this.#start);
    }
    return value;
  }

  /**
   * Reads one decimal digit or more, up to the limit. Further ones are left, where they are
   * invalid.
   */
  #skipDigits(digitsMax: number): number {
    const start = this.#at;
    const last = Math.min(this.#end, start + digitsMax);
    let value = 0;
    for (; this.#at < last; this.#at++) {
      const byte = this.#bytes[this.#at] ?? 0;
      if (byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
    }
    if (this.#at === start) this.reject('no digit in a number');
    return value;
  }

  #sign(): number | undefined {
    const sign = this.#at < this.#end ? this.#bytes[this.#at] : undefined;
    if (sign !== MINUS && sign !== PLUS) return undefined;
    this.#at += 1;
    return sign;
  }

  #isAt(byte: number): boolean {
    return this.#at < this.#end && this.#bytes[this.#at] === byte;
  }

  #byte(): number {
    if (this.#at >= this.#end) this.reject('no end: bytes are missing');
    return this.#bytes[this.#at++] ?? 0;
  }

  #expect(byte: number): void {
    if (this.#byte() !== byte) this.reject(`no ${String.fromCharCode(byte)}`, this.#at - 1);
  }

  #text(): string {
    let text = '';
    for (let at = this.#contentStart; at < this.#contentEnd; at++) {
      text += String.fromCharCode(this.#bytes[at] ?? 0);
    }
    return text;
  }
}
