import { COMMAND_ID_BYTES_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { fitsUtf8, utf8ByteLength } from '../utf8-length.ts';
import { type JsonBounds, type JsonSpan, QUOTE, readString, scanObject } from './scan-object.ts';

/** A value that is forwarded: the content of a string, any other value as it is written. */
export interface JsonPayload {
  readonly kind: 'text' | 'json';
  readonly text: string;
}

const SURROGATE = /[\ud800-\udfff]/;

/** A part of a string keeps all of it in memory: parts of longer strings are copied. */
const KEPT_LENGTH_MAX = 1_024;

const ID_SENTENCE = `id must be a string of at most ${COMMAND_ID_BYTES_MAX} bytes, or a number up to 2^53 - 1 in its shortest form: no 1.0, 1e3 or -0.`;

/** JSON text of an object, scanned as a whole and read member by member. */
export class JsonObjectText {
  readonly #text: string;
  readonly #members = new Map<string, JsonSpan>();

  /** `text` must have a UTF-8 form, as text that was received as UTF-8 has. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Throws ProtocolError `bad_json`. The members before the error can still be read. */
  scan(bounds: JsonBounds): void {
    scanObject(this.#text, bounds, this.#members);
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  /**
   * Returns the value of a member, as JSON.parse does. It does not keep a much longer text in
   * memory.
   */
  value(name: string): unknown {
    const span = this.#members.get(name);
    if (span === undefined) return undefined;
    const { start, end } = span;
    const isPart = this.#isString(start) && this.#text.length <= KEPT_LENGTH_MAX;
    return isPart ? readString(this.#text, start, end) : JSON.parse(this.#text.slice(start, end));
  }

  /**
   * Returns the member `id` as JSON that keeps its digits; null counts as no id. Throws
   * ProtocolError `bad_field`.
   */
  id(): string | number | undefined {
    const span = this.#members.get('id');
    if (span === undefined) return undefined;
    if (this.#isString(span.start)) {
      const id = String(this.value('id'));
      if (fitsUtf8(id, COMMAND_ID_BYTES_MAX)) return id;
    } else {
      const source = this.#text.slice(span.start, span.end);
      const id = Number(source);
      if (String(id) === source && Math.abs(id) <= Number.MAX_SAFE_INTEGER) return id;
      if (source === 'null') return undefined;
    }
    throw new ProtocolError('bad_field', ID_SENTENCE);
  }

  /**
   * Returns a text to be encoded and not kept: it is a part of the whole. Undefined for a string
   * with half a surrogate pair.
   */
  payload(name: string): JsonPayload | undefined {
    const span = this.#members.get(name);
    if (span === undefined) return undefined;
    const { start, end } = span;
    if (!this.#isString(start)) return { kind: 'json', text: this.#text.slice(start, end) };
    const text = readString(this.#text, start, end);
    return SURROGATE.test(text) && utf8ByteLength(text) < 0 ? undefined : { kind: 'text', text };
  }

  /** Returns whether a string begins at this index. */
  #isString(at: number): boolean {
    return this.#text.charCodeAt(at) === QUOTE;
  }
}
