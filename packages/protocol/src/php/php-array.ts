import { encodeText } from '../text.ts';
import type { PhpFloat } from './php-float.ts';
import { INT64_DIGITS_MAX, integerOf, isInt64, normalInteger, type PhpInteger } from './php-integer.ts';

/**
 * Any PHP value but objects and references. A PHP string is bytes, and is decoded as such. In
 * values to encode, a JavaScript string stands for its UTF-8.
 */
export type PhpValue = null | boolean | PhpInteger | PhpFloat | Uint8Array | string | PhpArray;

/** A key after PHP's conversion: bytes of a decimal integer become that integer. */
export type PhpKey = PhpInteger | Uint8Array;

const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Arguments of one call, which are on the stack. */
const UNITS_PER_CALL = 4_096;

/**
 * A PHP array: ordered, with integers and byte strings as keys. A repeated key replaces the value
 * and keeps the place of the first. Keys are never properties of an object, so `__proto__` is a key
 * like any other.
 */
export class PhpArray {
  readonly #keys: PhpKey[] = [];
  readonly #values: PhpValue[] = [];
  /** Index of each key; `undefined` while the keys are 0, 1, 2 ... in order. */
  #places: Map<string, number> | undefined;

  static list(values: Iterable<PhpValue>): PhpArray {
    const array = new PhpArray();
    for (const value of values) array.set(array.size, value);
    return array;
  }

  get size(): number {
    return this.#keys.length;
  }

  /** Whether the keys are 0, 1, 2 ... in order, as those of a JSON array. */
  get isList(): boolean {
    return this.#places === undefined;
  }

  set(key: PhpKey | string, value: PhpValue): this {
    const normal = normalKey(key);
    const place = this.#placeOf(normal);
    if (place !== undefined) {
      this.#values[place] = value;
      return this;
    }
    if (this.#places === undefined && normal !== this.size) {
      this.#places = new Map(this.#keys.map((known, index) => [identityOf(known), index]));
    }
    this.#places?.set(identityOf(normal), this.size);
    this.#keys.push(normal);
    this.#values.push(value);
    return this;
  }

  get(key: PhpKey | string): PhpValue | undefined {
    const place = this.#placeOf(normalKey(key));
    return place === undefined ? undefined : this.#values[place];
  }

  *entries(): Generator<readonly [PhpKey, PhpValue]> {
    for (const [place, key] of this.#keys.entries()) yield [key, this.#values[place] ?? null];
  }

  #placeOf(key: PhpKey): number | undefined {
    if (this.#places !== undefined) return this.#places.get(identityOf(key));
    return typeof key === 'number' && key >= 0 && key < this.size ? key : undefined;
  }
}

function normalKey(key: PhpKey | string): PhpKey {
  if (typeof key === 'number') {
    if (Number.isSafeInteger(key)) return key + 0;
    throw new RangeError(`A key must be an integer or a string, not ${key}.`);
  }
  if (typeof key === 'bigint') {
    if (isInt64(key)) return normalInteger(key);
    throw new RangeError('A key must fit 64 bits.');
  }
  const bytes = typeof key === 'string' ? encodeText(key) : key;
  return integerKeyOf(bytes) ?? bytes;
}

/**
 * Returns the integer for a key such as "5" or "-5", as PHP does; not for "05", "-0", "+5" or
 * integers beyond 64 bits.
 */
function integerKeyOf(bytes: Uint8Array): PhpInteger | undefined {
  const negative = bytes[0] === MINUS;
  const digits = bytes.length - (negative ? 1 : 0);
  if (digits === 0 || digits > INT64_DIGITS_MAX) return undefined;
  const first = bytes[negative ? 1 : 0];
  if (first === ZERO && (digits > 1 || negative)) return undefined;
  for (let at = negative ? 1 : 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return undefined;
  }
  return integerOf(String.fromCharCode(...bytes));
}

/**
 * Returns a string that equals that of equal keys only. It begins with a letter, because V8 hashes
 * such strings with a secret. A peer could choose colliding integers, and strings that look like
 * one.
 */
function identityOf(key: PhpKey): string {
  if (!(key instanceof Uint8Array)) return `i${key}`;
  let identity = 's';
  for (let at = 0; at < key.length; at += UNITS_PER_CALL) {
    identity += String.fromCharCode(...key.subarray(at, at + UNITS_PER_CALL));
  }
  return identity;
}
