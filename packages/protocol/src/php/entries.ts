import { ProtocolError } from '../protocol-error.ts';
import type { PhpKey } from './php-array.ts';
import { PhpScanner, type PhpToken } from './scanner.ts';

/** Start and end of a value in the bytes that it was read from. */
export interface PhpSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * One element of an array that was not decoded. A key is as it was written: a byte string "5" does
 * not become an integer.
 */
export interface PhpEntry extends PhpSpan {
  readonly key: PhpKey;
}

/** Throws ProtocolError `bad_frame` for bytes that are not one acceptable PHP value. */
export function checkPhp(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
  const scanner = new PhpScanner(bytes, start, end);
  while (scanner.next() !== 'done') {
    // Each token is checked when it is read.
  }
}

/**
 * Returns the bytes of a string: a slice, not a copy. Returns undefined for any other value, which
 * is not checked.
 */
export function stringOf(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array | undefined {
  const scanner = new PhpScanner(bytes, start, end);
  if (scanner.next() !== 'string') return undefined;
  const string = scanner.string();
  scanner.next();
  return string;
}

/**
 * Returns the elements of an array, in order and not decoded, so that a value can be forwarded as
 * the same bytes. The whole array is checked. Byte strings among the keys are slices.
 */
export function entriesOf(bytes: Uint8Array, start = 0, end: number = bytes.length): PhpEntry[] {
  const scanner = new PhpScanner(bytes, start, end);
  if (scanner.next() !== 'array') throw new ProtocolError('bad_frame', 'The PHP value is not an array.');
  const entries: PhpEntry[] = [];
  for (let token = scanner.next(); token !== 'end'; token = scanner.next()) {
    const key = keyAt(scanner, token);
    const value = scanner.next();
    const valueStart = scanner.tokenStart;
    scanner.skip(value);
    entries.push({ key, start: valueStart, end: scanner.tokenEnd });
  }
  scanner.next();
  return entries;
}

/** Returns the key at the scanner's position. */
export function keyAt(scanner: PhpScanner, token: PhpToken): PhpKey {
  return token === 'integer' ? scanner.integer() : scanner.string();
}
