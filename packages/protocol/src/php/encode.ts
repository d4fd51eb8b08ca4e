import { PHP_DEPTH_MAX } from '../limits.ts';
import { encodeText } from '../text.ts';
import { PhpArray, type PhpKey, type PhpValue } from './php-array.ts';
import { finiteFloatText, PhpFloat } from './php-float.ts';
import { isInt64 } from './php-integer.ts';
import { PhpWriter } from './php-writer.ts';

/**
 * Encodes a value as PHP's `serialize` does. A number is an integer if it is a safe one, and a
 * float otherwise. A string becomes its UTF-8, with U+FFFD for half a surrogate pair.
 */
export function encodePhp(value: PhpValue): Uint8Array {
  const writer = new PhpWriter();
  writeValue(writer, value, PHP_DEPTH_MAX);
  return writer.bytes();
}

/** Recursive, with a limit: a program's own value may have any depth. */
function writeValue(writer: PhpWriter, value: PhpValue, depthLeft: number): void {
  if (value instanceof PhpArray) {
    if (depthLeft === 0) throw new RangeError(`A PHP value may have ${PHP_DEPTH_MAX} nested arrays at most.`);
    writer.ascii(`a:${value.size}:{`);
    for (const [key, item] of value.entries()) {
      writeKey(writer, key);
      writeValue(writer, item, depthLeft - 1);
    }
    writer.ascii('}');
  } else if (value instanceof Uint8Array) writer.string(value);
  else if (typeof value === 'string') writer.string(encodeText(value));
  else writer.ascii(scalarText(value));
}

function writeKey(writer: PhpWriter, key: PhpKey): void {
  if (key instanceof Uint8Array) writer.string(key);
  else writer.ascii(`i:${key};`);
}

function scalarText(value: null | boolean | number | bigint | PhpFloat): string {
  if (value === null) return 'N;';
  if (typeof value === 'boolean') return value ? 'b:1;' : 'b:0;';
  if (value instanceof PhpFloat) return `d:${floatText(value.value)};`;
  if (typeof value === 'bigint') {
    if (isInt64(value)) return `i:${value};`;
    throw new RangeError('An integer of PHP has 64 bits.');
  }
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? `i:${value};` : `d:${floatText(value)};`;
}

function floatText(value: number): string {
  if (Number.isFinite(value)) return finiteFloatText(value, 'E');
  if (Number.isNaN(value)) return 'NAN';
  return value > 0 ? 'INF' : '-INF';
}
