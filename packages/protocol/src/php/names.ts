import { CHANNEL_NAME_BYTES_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import { decodeText } from '../text.ts';
import type { PhpSpan } from './entries.ts';
import { PhpScanner } from './scanner.ts';

/** What is wrong with a name: `type` is neither a string nor an integer. */
export type PhpNameFlaw = 'empty' | 'encoding' | 'length' | 'characters' | 'type';

/** Names that are read with the request: nearly always they are all. */
const FIRST_COUNT = 16;

/** `text` is undefined where the name has a flaw. */
type Name =
  | { readonly text: string; readonly flaw: undefined }
  | { readonly text: undefined; readonly flaw: PhpNameFlaw };

/**
 * The names in a request. There may be as many as a frame holds, and to read one costs more than
 * to pass it, so that they are read a few at a time. The keys do not matter: PHP's `(array)` leaves
 * those of the program's array.
 */
export class PhpNames {
  /** Names in all, those with a flaw included. */
  readonly count: number;
  /** What they take where they were written, with what stands around them, in bytes. */
  readonly bytesLength: number;
  readonly #bytes: Uint8Array;
  readonly #span: PhpSpan;
  readonly #first: Name[] = [];
  /** Stands behind the last name that was taken, if that is none of the first ones. */
  #scanner: PhpScanner | undefined;
  #taken = 0;

  /** The scanner stands on the beginning of the array in `bytes`, and goes to its end. */
  constructor(scanner: PhpScanner, bytes: Uint8Array) {
    const { count, tokenStart } = scanner;
    this.count = count;
    this.#bytes = bytes;
    for (let left = Math.min(count, FIRST_COUNT); left > 0; left--) this.#first.push(nextName(scanner));
    scanner.skip('array');
    this.#span = { start: tokenStart, end: scanner.tokenEnd };
    this.bytesLength = scanner.tokenEnd - tokenStart;
  }

  /** Names that were not taken yet. */
  get left(): number {
    return this.count - this.#taken;
  }

  /** The next ones, `countMax` at most; those with a flaw are left out, and told to `onFlaw`. */
  take(countMax: number, onFlaw?: (flaw: PhpNameFlaw) => void): string[] {
    const names: string[] = [];
    for (let count = Math.min(countMax, this.left); count > 0; count--) {
      const { text, flaw } = this.#first[this.#taken] ?? this.#next();
      this.#taken += 1;
      if (flaw === undefined) names.push(text);
      else onFlaw?.(flaw);
    }
    return names;
  }

  #next(): Name {
    this.#scanner ??= this.#scannerBehindFirst();
    return nextName(this.#scanner);
  }

  #scannerBehindFirst(): PhpScanner {
    const scanner = new PhpScanner(this.#bytes, this.#span.start, this.#span.end);
    scanner.nextUncounted();
    for (let left = this.#first.length; left > 0; left--) {
      scanner.next();
      scanner.skip(scanner.next());
    }
    return scanner;
  }
}

function nextName(scanner: PhpScanner): Name {
  scanner.next();
  const token = scanner.next();
  // PHP makes integers of array keys, so that a channel "123" comes back as 123 after a reconnect.
  if (token === 'integer') return { text: String(scanner.integer()), flaw: undefined };
  if (token === 'string') return readName(scanner.string());
  scanner.skip(token);
  return flawed('type');
}

function flawed(flaw: PhpNameFlaw): Name {
  return { text: undefined, flaw };
}

/** Names of queues are read as names of channels; what more they must be, queues check. */
function readName(bytes: Uint8Array): Name {
  if (bytes.length === 0) return flawed('empty');
  if (bytes.length > CHANNEL_NAME_BYTES_MAX) return flawed('length');
  let text: string;
  try {
    text = decodeText(bytes);
  } catch {
    return flawed('encoding');
  }
  return isChannelName(text) ? { text, flaw: undefined } : flawed('characters');
}
