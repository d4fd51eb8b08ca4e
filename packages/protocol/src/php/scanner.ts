import { PHP_DEPTH_MAX, PHP_ELEMENTS_MAX, PHP_FLOAT_BYTES_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { INT64_DIGITS_MAX, integerOf, type PhpInteger } from './php-integer.ts';

/** What the scanner stands on: a value or key, the end of an array, or the end of it all. */
export type PhpToken = 'null' | 'boolean' | 'integer' | 'float' | 'string' | 'array' | 'end' | 'done';

const QUOTE = 0x22;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** `i:0;N;`: no element is shorter, so no array can hold more of them than a sixth of the bytes that are left. */
const ELEMENT_BYTES_MIN = 6;

/** Digits of the longest length or count that is worth reading: more than a frame can hold. */
const COUNT_DIGITS_MAX = 10;

/** Every form in which `serialize` writes a float, whatever its precision, and a plus. */
const FLOAT = /^(?:[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:E[-+]\d+)?|-?INF|NAN)$/;

// O, C and S can run code in PHP, E names classes, R and r make one value out of many bytes or endless ones out of few.
const REFUSED_TAGS: ReadonlyMap<number, string> = new Map([
  [0x4f, 'an object (O)'],
  [0x43, 'an object (C)'],
  [0x45, 'an enum case (E)'],
  [0x53, 'an escaped string (S)'],
  [0x52, 'a reference (R)'],
  [0x72, 'a reference (r)'],
]);

/**
 * Walks over one value in PHP's `serialize` format, token by token, and checks all of it: no objects and references, no depth, count
 * or length beyond bounds, nothing in a form in which PHP does not write it (but a plus before a number), nothing behind the value. Strings are skipped by their length, and
 * nothing is allocated from a length or a count, so that the cost is that of the tokens that are there. Throws ProtocolError `bad_frame`.
 */
export class PhpScanner {
  readonly bytes: Uint8Array;
  readonly #first: number;
  readonly #end: number;
  /** For each array that is open: the keys and values that are still to come. */
  readonly #open: number[] = [];
  #elements = 0;
  #isDone = false;
  #at: number;
  #tokenStart: number;
  #contentStart = 0;
  #contentEnd = 0;
  #count = 0;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.#first = start;
    this.#end = end;
    this.#at = start;
    this.#tokenStart = start;
  }

  /** Where the token begins. */
  get tokenStart(): number {
    return this.#tokenStart;
  }

  /** Where the token ends. */
  get tokenEnd(): number {
    return this.#at;
  }

  /** Elements of the array that has begun. */
  get count(): number {
    return this.#count;
  }

  next(): PhpToken {
    this.#tokenStart = this.#at;
    const depth = this.#open.length;
    if (depth === 0) return this.#isDone ? this.#finish() : this.#value();
    const left = this.#open[depth - 1] ?? 0;
    if (left === 0) {
      if (this.bytes[this.#at] !== CLOSE || this.#at >= this.#end)
        this.#refuse('no } behind the last element');
      this.#at += 1;
      this.#open.pop();
      this.#isDone = depth === 1;
      return 'end';
    }
    this.#open[depth - 1] = left - 1;
    const token = this.#value();
    if (left % 2 === 0 && token !== 'integer' && token !== 'string') {
      this.#refuse('a key that is neither an integer nor a string', this.#tokenStart);
    }
    return token;
  }

  /** Goes to the end of the array, if the token has begun one. */
  skip(token: PhpToken): void {
    if (token !== 'array') return;
    const outside = this.#open.length - 1;
    while (this.#open.length > outside) this.next();
  }

  /** The value of a token `boolean`. */
  boolean(): boolean {
    return this.bytes[this.#contentStart] !== ZERO;
  }

  /** The value of a token `integer`. */
  integer(): PhpInteger {
    return integerOf(this.#text()) ?? this.#refuse('an integer beyond 64 bits', this.#contentStart);
  }

  /** The value of a token `float`. */
  float(): number {
    const text = this.#text();
    if (text === 'INF') return Number.POSITIVE_INFINITY;
    if (text === '-INF') return Number.NEGATIVE_INFINITY;
    return Number(text);
  }

  /** The bytes of a token `string`: a slice, not a copy. */
  string(): Uint8Array {
    return this.bytes.subarray(this.#contentStart, this.#contentEnd);
  }

  #value(): PhpToken {
    const tag = this.#byte();
    this.#isDone = this.#open.length === 0;
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
        return this.#refuse(
          REFUSED_TAGS.get(tag) ?? `the unknown type 0x${tag.toString(16).padStart(2, '0')}`,
          this.#tokenStart,
        );
    }
  }

  #boolean(): PhpToken {
    this.#expect(COLON);
    this.#contentStart = this.#at;
    const byte = this.#byte();
    if (byte !== ZERO && byte !== ZERO + 1)
      this.#refuse('a boolean that is neither 0 nor 1', this.#tokenStart);
    this.#expect(SEMICOLON);
    return 'boolean';
  }

  #integer(): PhpToken {
    this.#expect(COLON);
    this.#contentStart = this.#at;
    const sign = this.bytes[this.#at];
    if (sign === MINUS || sign === PLUS) this.#at += 1;
    this.#digits(INT64_DIGITS_MAX);
    this.#contentEnd = this.#at;
    this.#expect(SEMICOLON);
    // Only the longest ones can be too large.
    if (this.#contentEnd - this.#contentStart >= INT64_DIGITS_MAX) this.integer();
    return 'integer';
  }

  #float(): PhpToken {
    this.#expect(COLON);
    this.#contentStart = this.#at;
    const last = Math.min(this.#end, this.#at + PHP_FLOAT_BYTES_MAX + 1);
    while (this.#at < last && this.bytes[this.#at] !== SEMICOLON) this.#at += 1;
    this.#contentEnd = this.#at;
    if (this.#at === last || !FLOAT.test(this.#text()))
      this.#refuse('a float that PHP does not write', this.#tokenStart);
    this.#at += 1;
    return 'float';
  }

  #string(): PhpToken {
    this.#expect(COLON);
    const length = this.#digits(COUNT_DIGITS_MAX);
    this.#expect(COLON);
    this.#expect(QUOTE);
    this.#contentStart = this.#at;
    // The bytes, a quote and a semicolon must be there.
    if (length + 2 > this.#end - this.#at)
      this.#refuse('a string that is longer than what is there', this.#tokenStart);
    this.#at += length;
    this.#contentEnd = this.#at;
    this.#expect(QUOTE);
    this.#expect(SEMICOLON);
    return 'string';
  }

  #array(): PhpToken {
    this.#expect(COLON);
    const count = this.#digits(COUNT_DIGITS_MAX);
    this.#expect(COLON);
    this.#expect(OPEN);
    this.#elements += count;
    if (this.#elements > PHP_ELEMENTS_MAX)
      this.#refuse(`more than ${PHP_ELEMENTS_MAX} elements`, this.#tokenStart);
    if (count * ELEMENT_BYTES_MIN + 1 > this.#end - this.#at) {
      this.#refuse('an array of more elements than are there', this.#tokenStart);
    }
    if (this.#open.length >= PHP_DEPTH_MAX)
      this.#refuse(`more than ${PHP_DEPTH_MAX} arrays in each other`, this.#tokenStart);
    this.#open.push(2 * count);
    this.#count = count;
    this.#isDone = false;
    return 'array';
  }

  #finish(): PhpToken {
    if (this.#at < this.#end) this.#refuse('bytes behind its end');
    return 'done';
  }

  /** Decimal digits as PHP writes them, without a zero before others. */
  #digits(digitsMax: number): number {
    const start = this.#at;
    const last = Math.min(this.#end, start + digitsMax);
    let value = 0;
    for (; this.#at < last; this.#at++) {
      const byte = this.bytes[this.#at] ?? 0;
      if (byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
    }
    const isPadded = this.bytes[start] === ZERO && this.#at > start + 1;
    if (this.#at === start || isPadded) this.#refuse('a number that PHP does not write', this.#tokenStart);
    return value;
  }

  #byte(): number {
    if (this.#at >= this.#end) this.#refuse('no end: bytes are missing');
    return this.bytes[this.#at++] ?? 0;
  }

  #expect(byte: number): void {
    if (this.#byte() !== byte) this.#refuse(`no ${String.fromCharCode(byte)}`, this.#at - 1);
  }

  #text(): string {
    return String.fromCharCode(...this.bytes.subarray(this.#contentStart, this.#contentEnd));
  }

  #refuse(what: string, at: number = this.#at): never {
    throw new ProtocolError('bad_frame', `The PHP value has ${what}, at byte ${at - this.#first}.`);
  }
}
