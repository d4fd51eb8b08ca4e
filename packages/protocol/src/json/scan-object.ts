import { JSON_DEPTH_MAX } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';

/** Limits of an object, besides JSON_DEPTH_MAX, which always applies. */
export interface JsonBounds {
  /** Names of the members that are forwarded as they are written, and limited in depth only. */
  readonly payloads: readonly string[];
  /** Name of a member whose objects have names as keys, which only `nodesMax` limits. */
  readonly names?: string;
  /** Limit for the keys of one object outside these members. */
  readonly keysMax: number;
  /** Limit for the values outside the payloads. */
  readonly nodesMax: number;
}

/** Start of a value in its text, and the index after its end. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads an object in one pass, without creating its values, and adds the spans of its members to
 * `members`. The last of two equal keys counts. Accepts exactly the objects that JSON.parse accepts
 * and that are within the limits; throws ProtocolError `bad_json` for others.
 */
export function scanObject(text: string, bounds: JsonBounds, members: Map<string, JsonSpan>): void {
  new Scanner(text, bounds).document(members);
}

/**
 * Returns the content of the string literal from `start` to `end`. Without escapes it is a part of
 * the text, not a copy.
 */
export function readString(text: string, start: number, end: number): string {
  const inside = text.slice(start + 1, end - 1);
  return inside.includes('\\') ? JSON.parse(text.slice(start, end)) : inside;
}

// Characters, as `charCodeAt` returns them.
const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
export const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const LOWER_E = 0x65;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** Turns an ASCII letter into lower case. */
const CASE_BIT = 0x20;
/** A control character, which is invalid in a string. */
const CONTROL = /[^ -\uffff]/;
/**
 * The inside of a string, up to its closing quote or an invalid character. Escapes are limited,
 * since each takes space on the stack of the pattern: a long string is read in pieces.
 */
const INSIDE = /[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*){0,500}/y;
/** In place of a character, after the last one. */
const END = -1;

/** Recursive, since JSON_DEPTH_MAX limits the depth. */
class Scanner {
  readonly #text: string;
  /** Whether every string ends at the next quote. */
  readonly #isPlain: boolean;
  readonly #payloads: readonly string[];
  readonly #names: string | undefined;
  #keysMax: number;
  #nodesLeft: number;
  #at = 0;
  /** The character at `#at`. */
  #unit = END;

  constructor(text: string, { payloads, names, keysMax, nodesMax }: JsonBounds) {
    this.#text = text;
    this.#isPlain = !text.includes('\\') && !CONTROL.test(text);
    this.#payloads = payloads;
    this.#names = names;
    this.#keysMax = keysMax;
    this.#nodesLeft = nodesMax;
    this.#goTo(0);
  }

  document(members: Map<string, JsonSpan>): void {
    this.#skipSpace();
    if (this.#unit !== OPEN_OBJECT) throw new ProtocolError('bad_json');
    this.#object(JSON_DEPTH_MAX, members);
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#reject();
  }

  /** Reads an object. `members` is undefined for an object within a value. */
  #object(depthLeft: number, members?: Map<string, JsonSpan>): void {
    if (this.#opens(CLOSE_OBJECT, depthLeft)) return;
    let keys = 0;
    do {
      keys += 1;
      if (keys > this.#keysMax) this.#exceeds(`has an object of more than ${this.#keysMax} keys`);
      this.#skipSpace();
      const start = this.#at;
      if (this.#unit !== QUOTE) this.#reject();
      this.#string();
      const end = this.#at;
      this.#skipSpace();
      if (!this.#accepts(COLON)) this.#reject();
      this.#skipSpace();
      if (members === undefined) this.#value(depthLeft - 1);
      else this.#member(readString(this.#text, start, end), depthLeft - 1, members);
    } while (this.#hasNext(CLOSE_OBJECT));
  }

  #member(name: string, depthLeft: number, members: Map<string, JsonSpan>): void {
    const start = this.#at;
    if (this.#payloads.includes(name)) this.#payloadValue(depthLeft);
    else if (name === this.#names) this.#namesValue(depthLeft);
    else this.#value(depthLeft);
    members.set(name, { start, end: this.#at });
  }

  #payloadValue(depthLeft: number): void {
    const keysMax = this.#keysMax;
    const nodesLeft = this.#nodesLeft;
    // A text has fewer keys and values than characters.
    this.#keysMax = this.#text.length;
    this.#nodesLeft = this.#text.length;
    this.#value(depthLeft);
    this.#keysMax = keysMax;
    this.#nodesLeft = nodesLeft;
  }

  #namesValue(depthLeft: number): void {
    const keysMax = this.#keysMax;
    this.#keysMax = this.#nodesLeft;
    this.#value(depthLeft);
    this.#keysMax = keysMax;
  }

  #array(depthLeft: number): void {
    if (this.#opens(CLOSE_ARRAY, depthLeft)) return;
    do {
      this.#skipSpace();
      this.#value(depthLeft - 1);
    } while (this.#hasNext(CLOSE_ARRAY));
  }

  #value(depthLeft: number): void {
    if (this.#nodesLeft === 0) this.#exceeds('has too many values');
    this.#nodesLeft -= 1;
    const unit = this.#unit;
    if (unit === QUOTE) this.#string();
    else if (unit === OPEN_OBJECT) this.#object(depthLeft);
    else if (unit === OPEN_ARRAY) this.#array(depthLeft);
    else if (unit === MINUS || isDigit(unit)) this.#number();
    else if (!(this.#acceptsWord('true') || this.#acceptsWord('false') || this.#acceptsWord('null')))
      this.#reject();
  }

  /** Reads an opening bracket. Returns whether the closing one follows, and reads that too. */
  #opens(close: number, depthLeft: number): boolean {
    if (depthLeft === 0) this.#exceeds(`nests deeper than ${JSON_DEPTH_MAX} levels`);
    this.#next();
    this.#skipSpace();
    return this.#accepts(close);
  }

  /** Reads a comma before a further element, or the closing bracket. */
  #hasNext(close: number): boolean {
    this.#skipSpace();
    if (this.#accepts(COMMA)) return true;
    if (!this.#accepts(close)) this.#reject();
    return false;
  }

  /** Reads a string from its opening quote. */
  #string(): void {
    const end = this.#isPlain ? this.#text.indexOf('"', this.#at + 1) : this.#insideEnd(this.#at + 1);
    this.#goTo(end < 0 ? this.#text.length : end);
    if (!this.#accepts(QUOTE)) this.#reject();
  }

  #insideEnd(start: number): number {
    let end = start;
    do {
      INSIDE.lastIndex = end;
      INSIDE.test(this.#text);
      if (INSIDE.lastIndex === end) break;
      end = INSIDE.lastIndex;
    } while (this.#text.charCodeAt(end) === BACKSLASH);
    return end;
  }

  #number(): void {
    this.#accepts(MINUS);
    if (!this.#accepts(ZERO)) this.#digits();
    if (this.#accepts(POINT)) this.#digits();
    if ((this.#unit | CASE_BIT) !== LOWER_E) return;
    this.#next();
    if (!this.#accepts(PLUS)) this.#accepts(MINUS);
    this.#digits();
  }

  /** Reads one digit or more. */
  #digits(): void {
    if (!isDigit(this.#unit)) this.#reject();
    do this.#next();
    while (isDigit(this.#unit));
  }

  #acceptsWord(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#goTo(this.#at + word.length);
    return true;
  }

  #accepts(unit: number): boolean {
    if (this.#unit !== unit) return false;
    this.#next();
    return true;
  }

  #skipSpace(): void {
    while (isSpace(this.#unit)) this.#next();
  }

  #next(): void {
    this.#goTo(this.#at + 1);
  }

  #goTo(at: number): void {
    this.#at = at;
    this.#unit = at < this.#text.length ? this.#text.charCodeAt(at) : END;
  }

  #exceeds(what: string): never {
    throw new ProtocolError('bad_json', `The JSON ${what}, at character ${this.#at}.`);
  }

  #reject(): never {
    throw new ProtocolError('bad_json', `This is not JSON, at character ${this.#at}.`);
  }
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE;
}

function isSpace(unit: number): boolean {
  return unit <= SPACE && (unit === SPACE || unit === LINE_FEED || unit === RETURN || unit === TAB);
}
