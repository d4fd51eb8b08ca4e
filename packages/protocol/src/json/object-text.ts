import { utf8ByteLength } from '../text.ts';
import { type JsonBounds, type JsonSpan, scanObject, unquoted } from './scan-object.ts';

/** A value that is passed on: a string as what it says, any other value as it is written. */
export interface JsonPayload {
  readonly kind: 'text' | 'json';
  readonly text: string;
}

const SURROGATE = /[\ud800-\udfff]/;

/** A part of a text keeps all of it: parts of longer texts are copied. */
const KEPT_LENGTH = 1_024;

/** An object as JSON text, scanned as a whole and read member by member. */
export class JsonObjectText {
  readonly #text: string;
  readonly #members = new Map<string, JsonSpan>();

  /** `text` must have a UTF-8 form, as all has that came as UTF-8. */
  constructor(text: string) {
    this.#text = text;
  }

  /** Throws ProtocolError `bad_json`; the members before the fault can be read all the same. */
  scan(bounds: JsonBounds): void {
    scanObject(this.#text, bounds, this.#members);
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  /** The value of a member as JSON.parse makes it. It can be kept: it does not keep a text that is far longer. */
  value(name: string): unknown {
    const source = this.#source(name);
    if (source === undefined) return undefined;
    return source.startsWith('"') && this.#text.length <= KEPT_LENGTH ? unquoted(source) : JSON.parse(source);
  }

  /**
   * The member `id`, which comes back in the reply digit for digit; null is no id. NaN, which no schema accepts, stands
   * for a number that JSON.stringify would write in another way, as 1.0, 1e3, -0 and 9007199254740993.
   */
  id(): unknown {
    const id = this.value('id');
    if (typeof id === 'number' && String(id) !== this.#source('id')) return Number.NaN;
    return id ?? undefined;
  }

  /** To be encoded, and not kept: it is part of the text. Undefined for a string that has half of a surrogate pair. */
  payload(name: string): JsonPayload | undefined {
    const source = this.#source(name);
    if (source === undefined) return undefined;
    if (!source.startsWith('"')) return { kind: 'json', text: source };
    const text = unquoted(source);
    const isWhole = !SURROGATE.test(text) || utf8ByteLength(text) >= 0;
    return isWhole ? { kind: 'text', text } : undefined;
  }

  #source(name: string): string | undefined {
    const span = this.#members.get(name);
    return span === undefined ? undefined : this.#text.slice(span.start, span.end);
  }
}
