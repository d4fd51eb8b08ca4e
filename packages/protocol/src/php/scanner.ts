import { PHP_DEPTH_MAX, PHP_ELEMENTS_MAX } from '../limits.ts';
import { type PhpLexeme, PhpLexer } from './lexer.ts';
import type { PhpInteger } from './php-integer.ts';

/**
 * Token at the scanner's position: a value or key, the end of an array, or the end of the whole.
 */
export type PhpToken = PhpLexeme | 'end' | 'done';

/**
 * `i:0;N;`: no element is shorter, so an array has at most a sixth of the remaining bytes as
 * elements.
 */
const ELEMENT_BYTES_MIN = 6;

/**
 * Reads one value in PHP's `serialize` format, token by token, and checks all of it: objects,
 * references, forms that PHP does not write, and bytes after the value are invalid, and depth,
 * counts and lengths are limited. Nothing is allocated from a length or a count, so that the cost
 * depends on the tokens that are there. Throws ProtocolError `bad_frame`.
 */
export class PhpScanner {
  readonly #lexer: PhpLexer;
  /**
   * For each open array, the number of keys and values to come. A loop needs no call stack for
   * them.
   */
  readonly #open: number[] = [];
  #elements = 0;
  #counts = true;
  #isBegun = false;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.#lexer = new PhpLexer(bytes, start, end);
  }

  /** Start of the token. */
  get tokenStart(): number {
    return this.#lexer.start;
  }

  /** End of the token. */
  get tokenEnd(): number {
    return this.#lexer.at;
  }

  /** Number of elements of the array that begins here. */
  get count(): number {
    return this.#lexer.count;
  }

  next(): PhpToken {
    const depth = this.#open.length;
    if (depth === 0) return this.#isBegun ? this.#finish() : this.#value();
    const left = this.#open[depth - 1] ?? 0;
    if (left === 0) {
      if (!this.#lexer.closes()) this.#lexer.reject('no } after the last element');
      this.#open.pop();
      return 'end';
    }
    this.#open[depth - 1] = left - 1;
    const token = this.#value();
    if (left % 2 === 0 && token !== 'integer' && token !== 'string') {
      this.#lexer.reject('a key that is neither an integer nor a string', this.tokenStart);
    }
    return token;
  }

  /**
   * Reads the next token. The elements of an array that begins here do not count: only the bytes
   * limit them.
   */
  nextUncounted(): PhpToken {
    this.#counts = false;
    const token = this.next();
    this.#counts = true;
    return token;
  }

  /** Skips the array that the token has begun, if any. */
  skip(token: PhpToken): void {
    if (token !== 'array') return;
    const outside = this.#open.length - 1;
    while (this.#open.length > outside) this.next();
  }

  /** Returns the value of a token `boolean`. */
  boolean(): boolean {
    return this.#lexer.boolean();
  }

  /** Returns the value of a token `integer`. */
  integer(): PhpInteger {
    return this.#lexer.integer();
  }

  /** Returns the value of a token `float`. */
  float(): number {
    return this.#lexer.float();
  }

  /** Returns the bytes of a token `string`: a slice, not a copy. */
  string(): Uint8Array {
    return this.#lexer.string();
  }

  #value(): PhpToken {
    const token = this.#lexer.next();
    if (token === 'array') this.#openArray(this.#lexer.count);
    this.#isBegun = true;
    return token;
  }

  #openArray(count: number): void {
    const at = this.tokenStart;
    if (this.#counts) this.#elements += count;
    if (this.#elements > PHP_ELEMENTS_MAX) this.#lexer.reject(`more than ${PHP_ELEMENTS_MAX} elements`, at);
    if (count * ELEMENT_BYTES_MIN + 1 > this.#lexer.bytesLeft) {
      this.#lexer.reject('an array with more elements than the remaining bytes', at);
    }
    if (this.#open.length >= PHP_DEPTH_MAX) {
      this.#lexer.reject(`more than ${PHP_DEPTH_MAX} nested arrays`, at);
    }
    this.#open.push(2 * count);
  }

  #finish(): PhpToken {
    if (this.#lexer.bytesLeft > 0) this.#lexer.reject('bytes after its end');
    return 'done';
  }
}
