import { ProtocolError } from '../protocol-error.ts';
import type { PhpKey } from './php-array.ts';
import { PhpScanner, type PhpToken } from './scanner.ts';

/** Where a value lies in the bytes that it was read from. */
export interface PhpSpan {
  readonly start: number;
  readonly end: number;
}

/** One element of an array that was not decoded. A key is as it was written: a byte string "5" is not made an integer. */
export interface PhpEntry extends PhpSpan {
  readonly key: PhpKey;
}

/** Throws ProtocolError `bad_frame` when the bytes are not one PHP value that may be taken. */
export function checkPhp(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
  const scanner = new PhpScanner(bytes, start, end);
  while (scanner.next() !== 'done') {
    // Every token is checked as it is passed.
  }
}

/** The bytes of a value that is a string: a slice, not a copy. Undefined for any other value, which is not checked. */
export function stringOf(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array | undefined {
  const scanner = new PhpScanner(bytes, start, end);
  if (scanner.next() !== 'string') return undefined;
  const string = scanner.string();
  scanner.next();
  return string;
}

/**
 * The elements of an array, in order and undecoded, so that a value can be sent on as the bytes that it came in. The whole array is
 * checked. Byte strings among the keys are slices.
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

/** The key that the scanner stands on. */
export function keyAt(scanner: PhpScanner, token: PhpToken): PhpKey {
  return token === 'integer' ? scanner.integer() : scanner.string();
}
