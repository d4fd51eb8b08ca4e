import { PHP_DEPTH_MAX } from '../limits.ts';
import { encodeText } from '../text.ts';
import { utf8ByteLength } from '../utf8-length.ts';
import { PhpArray, type PhpKey, type PhpValue } from './php-array.ts';
import { finiteFloatText, PhpFloat } from './php-float.ts';

/** A value for peers of other dialects. */
export interface PhpJson {
  readonly text: string;
  /**
   * Values and keys that JSON cannot express: INF and NAN become null, and strings that are not
   * UTF-8 contain U+FFFD.
   */
  readonly lossy: number;
}

const lenientDecoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

/**
 * Encodes the value as PHP's `json_encode` does with JSON_PRESERVE_ZERO_FRACTION and all
 * JSON_UNESCAPED flags. An array whose keys are 0, 1, 2 ... in order is an array, any other an
 * object; `1.0` stays `1.0`, and integers keep all their digits. The result is up to six times as
 * long as the value, where control characters are escaped.
 */
export function toJson(value: PhpValue): PhpJson {
  const writer = new JsonWriter();
  writer.value(value, PHP_DEPTH_MAX);
  return { text: writer.text(), lossy: writer.lossy };
}

// JSON.stringify would need an object with the peer's keys, and does not distinguish floats from
// integers.
class JsonWriter {
  readonly #parts: string[] = [];
  lossy = 0;

  text(): string {
    return this.#parts.join('');
  }

  value(value: PhpValue, depthLeft: number): void {
    if (value instanceof PhpArray) {
      if (depthLeft === 0)
        throw new RangeError(`A PHP value may have ${PHP_DEPTH_MAX} nested arrays at most.`);
      this.#array(value, depthLeft - 1);
    } else if (value instanceof Uint8Array) this.#parts.push(JSON.stringify(this.#textOf(value)));
    else if (typeof value === 'string') this.#parts.push(JSON.stringify(this.#wellFormed(value)));
    else if (value instanceof PhpFloat) this.#float(value.value);
    else if (typeof value === 'number' && (!Number.isSafeInteger(value) || Object.is(value, -0)))
      this.#float(value);
    else this.#parts.push(String(value));
  }

  #array(array: PhpArray, depthLeft: number): void {
    const { isList } = array;
    this.#parts.push(isList ? '[' : '{');
    let separator = '';
    for (const [key, item] of array.entries()) {
      this.#parts.push(isList ? separator : `${separator}${JSON.stringify(this.#keyText(key))}:`);
      this.value(item, depthLeft);
      separator = ',';
    }
    this.#parts.push(isList ? ']' : '}');
  }

  #keyText(key: PhpKey): string {
    return key instanceof Uint8Array ? this.#textOf(key) : String(key);
  }

  #float(value: number): void {
    if (!Number.isFinite(value)) {
      this.lossy += 1;
      this.#parts.push('null');
      return;
    }
    const text = finiteFloatText(value, 'e');
    this.#parts.push(text.includes('.') ? text : `${text}.0`);
  }

  #textOf(bytes: Uint8Array): string {
    const text = lenientDecoder.decode(bytes);
    // A strict decoder would detect this too, but with an error and its stack for each string.
    // U+FFFD may also be part of the value.
    if (text.includes('\ufffd') && !equalBytes(encodeText(text), bytes)) this.lossy += 1;
    return text;
  }

  /** Replaces half surrogate pairs: JSON.stringify would write an escape, which PHP rejects. */
  #wellFormed(text: string): string {
    if (utf8ByteLength(text) !== -1) return text;
    this.lossy += 1;
    return lenientDecoder.decode(encodeText(text));
  }
}

function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}
