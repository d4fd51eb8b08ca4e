import { CHANNEL_NAME_BYTES_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import { decodeText } from '../text.ts';
import type { PhpSpan } from './entries.ts';
import { PhpScanner } from './scanner.ts';

/** What is wrong with a name: `type` is neither a string nor an integer. */
export type PhpNameFlaw = 'empty' | 'encoding' | 'length' | 'characters' | 'type';

/**
 * The names in a request. There may be as many as a frame holds, and to read one costs more than to pass it, so that they are read a few at a time. The keys do
 * not matter: PHP's `(array)` leaves whatever the program's array had.
 */
export class PhpNames {
  /** Names in all, those with a flaw included. */
  readonly count: number;
  /** Bytes in all: where they were written, with what stands around them. */
  readonly bytes: number;
  readonly #scanner: PhpScanner;
  #left: number;

  /** `span`: an array that was checked, of `count` elements. */
  constructor(bytes: Uint8Array, { start, end }: PhpSpan, count: number) {
    this.count = count;
    this.bytes = end - start;
    this.#left = count;
    this.#scanner = new PhpScanner(bytes, start, end);
    this.#scanner.nextUncounted();
  }

  /** Names that were not taken yet. */
  get left(): number {
    return this.#left;
  }

  /** The next ones, `countMax` at most; those with a flaw are left out, and told to `onFlaw`. */
  take(countMax: number, onFlaw?: (flaw: PhpNameFlaw) => void): string[] {
    const names: string[] = [];
    const count = Math.min(countMax, this.#left);
    this.#left -= count;
    for (let index = 0; index < count; index++) {
      this.#scanner.next();
      const name = this.#read();
      if (name.flaw === undefined) names.push(name.text);
      else onFlaw?.(name.flaw);
    }
    return names;
  }

  #read(): Name {
    const scanner = this.#scanner;
    const token = scanner.next();
    // PHP makes integers of array keys, so that a channel "123" comes back as 123 after a reconnect.
    if (token === 'integer') return { text: String(scanner.integer()), flaw: undefined };
    if (token === 'string') return readName(scanner.string());
    scanner.skip(token);
    return { flaw: 'type' };
  }
}

type Name = { readonly text: string; readonly flaw: undefined } | { readonly flaw: PhpNameFlaw };

/** Names of queues are read as names of channels; what more they must be is up to whoever keeps queues. */
function readName(bytes: Uint8Array): Name {
  if (bytes.length === 0) return { flaw: 'empty' };
  if (bytes.length > CHANNEL_NAME_BYTES_MAX) return { flaw: 'length' };
  let text: string;
  try {
    text = decodeText(bytes);
  } catch {
    return { flaw: 'encoding' };
  }
  return isChannelName(text) ? { text, flaw: undefined } : { flaw: 'characters' };
}
