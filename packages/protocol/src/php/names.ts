import { CHANNEL_NAME_BYTES_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import { decodeText } from '../text.ts';
import type { PhpSpan } from './entries.ts';
import { PhpScanner } from './scanner.ts';

/** Error of a name: `type` means that it is neither a string nor an integer. */
export type PhpNameFlaw = 'empty' | 'encoding' | 'length' | 'characters' | 'type';

/** Names that are read with the request: nearly always all of them. */
const FIRST_COUNT = 16;

/** `text` is undefined for an invalid name. */
type Name =
  | { readonly text: string; readonly flaw: undefined }
  | { readonly text: undefined; readonly flaw: PhpNameFlaw };

/**
 * The names in a request. A frame may hold very many, and to read one costs more than to skip it,
 * so they are read in batches. Their keys do not matter: PHP's `(array)` keeps those of the
 * program's array.
 */
export class PhpNames {
  /** Number of all names, including invalid ones. */
  readonly count: number;
  /** Bytes of the names as they were written, with what surrounds them. */
  readonly bytesLength: number;
  readonly #bytes: Uint8Array;
  readonly #span: PhpSpan;
  readonly #first: Name[] = [];
  /** At the end of the last name that was read, after the first batch. */
  #scanner: PhpScanner | undefined;
  #taken = 0;

  /**
   * The scanner must be at the beginning of the array in `bytes`. It continues to the end of the
   * array.
   */
  constructor(scanner: PhpScanner, bytes: Uint8Array) {
    const { count, tokenStart } = scanner;
    this.count = count;
    this.#bytes = bytes;
    for (let left = Math.min(count, FIRST_COUNT); left > 0; left--) this.#first.push(nextName(scanner));
    scanner.skip('array');
    this.#span = { start: tokenStart, end: scanner.tokenEnd };
    this.bytesLength = scanner.tokenEnd - tokenStart;
  }

  /** Names that were not read yet. */
  get left(): number {
    return this.count - this.#taken;
  }

  /**
   * Returns the next names, at most `countMax`. Leaves out invalid ones, and calls `onFlaw` for
   * them.
   */
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
  // PHP makes array keys integers, so that a channel "123" comes back as 123 after a reconnect.
  if (token === 'integer') return { text: String(scanner.integer()), flaw: undefined };
  if (token === 'string') return readName(scanner.string());
  scanner.skip(token);
  return flawed('type');
}

function flawed(flaw: PhpNameFlaw): Name {
  return { text: undefined, flaw };
}

/** Names of queues are read as names of channels; queues check their further rules. */
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
