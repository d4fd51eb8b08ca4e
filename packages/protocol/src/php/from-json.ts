import { PHP_DEPTH_MAX, PHP_ELEMENTS_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { PhpArray, type PhpValue } from './php-array.ts';
import { PhpFloat } from './php-float.ts';
import { integerOf } from './php-integer.ts';

/**
 * Decodes a text as PHP's `json_decode` does, with objects as arrays. Throws ProtocolError
 * `bad_json` for invalid JSON, and above the limits of a PHP value.
 *
 * It has its own reader, because JSON.parse makes `1.0` the number 1, loses digits of large
 * integers, and in Node 20 does not give its reviver the source. Also, depth and elements must be
 * limited while they are read.
 */
export function fromJson(
  text: string,
  depthMax: number = PHP_DEPTH_MAX,
  elementsMax: number = PHP_ELEMENTS_MAX,
): PhpValue {
  return new JsonReader(text, depthMax, elementsMax).read();
}

/** An open array. `key` is the one whose value comes next; `undefined` in a list. */
interface Open {
  readonly array: PhpArray;
  readonly close: ']' | '}';
  key: string | undefined;
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WORD = /true|false|null/y;

class JsonReader {
  readonly #text: string;
  readonly #depthMax: number;
  readonly #elementsMax: number;
  /** Open arrays, the innermost last: a loop needs no call stack, however deep the text is. */
  readonly #open: Open[] = [];
  #elements = 0;
  #at = 0;

  constructor(text: string, depthMax: number, elementsMax: number) {
    this.#text = text;
    this.#depthMax = depthMax;
    this.#elementsMax = elementsMax;
  }

  read(): PhpValue {
    const root = this.#value();
    for (let open = this.#open.at(-1); open !== undefined; open = this.#open.at(-1)) this.#element(open);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#reject('something after its end');
    return root;
  }

  /** Reads the next element of an open array, or its end. */
  #element(open: Open): void {
    const isFirst = open.array.size === 0 && open.key === undefined;
    if (this.#accepts(open.close)) {
      this.#open.pop();
      return;
    }
    if (!isFirst && !this.#accepts(',')) this.#reject(`neither a comma nor ${open.close}`);
    this.#elements += 1;
    if (this.#elements > this.#elementsMax) this.#reject(`more than ${this.#elementsMax} elements`);
    if (open.close === ']') {
      open.array.set(open.array.size, this.#value());
      return;
    }
    this.#skipSpace();
    open.key = this.#string();
    if (!this.#accepts(':')) this.#reject('no colon after a key');
    open.array.set(open.key, this.#value());
  }

  /** Reads a whole scalar, or opens an array. */
  #value(): PhpValue {
    if (this.#accepts('[')) return this.#begin(']');
    if (this.#accepts('{')) return this.#begin('}');
    if (this.#text[this.#at] === '"') return this.#string();
    const word = this.#match(WORD)?.[0];
    if (word !== undefined) return word === 'null' ? null : word === 'true';
    return this.#number();
  }

  #begin(close: ']' | '}'): PhpArray {
    if (this.#open.length >= this.#depthMax)
      this.#reject(`more than ${this.#depthMax} nested arrays and objects`);
    const array = new PhpArray();
    this.#open.push({ array, close, key: undefined });
    return array;
  }

  #number(): PhpValue {
    const match = this.#match(NUMBER);
    if (match === undefined) return this.#reject('no value');
    const [text, fraction, exponent] = match;
    const integer = fraction === undefined && exponent === undefined ? integerOf(text) : undefined;
    // As in PHP, an integer beyond 64 bits is a float.
    return integer ?? new PhpFloat(Number(text));
  }

  #string(): string {
    const start = this.#at;
    if (this.#text[start] !== '"') this.#reject('no string as a key');
    for (let at = start + 1; at < this.#text.length; at++) {
      const character = this.#text[at];
      if (character === '\\') at += 1;
      else if (character === '"') {
        this.#at = at + 1;
        return this.#unescaped(start);
      }
    }
    return this.#reject('a string without an end');
  }

  #unescaped(start: number): string {
    try {
      // JSON.parse checks and unescapes one string.
      return JSON.parse(this.#text.slice(start, this.#at));
    } catch (cause) {
      throw new ProtocolError('bad_json', `The JSON has an invalid string literal, at character ${start}.`, {
        cause,
      });
    }
  }

  #accepts(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    this.#match(SPACE);
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match !== undefined) this.#at += match[0].length;
    return match;
  }

  #reject(what: string): never {
    throw new ProtocolError('bad_json', `The JSON has ${what}, at character ${this.#at}.`);
  }
}
