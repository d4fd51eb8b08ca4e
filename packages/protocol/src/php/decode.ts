import { keyAt } from './entries.ts';
import { PhpArray, type PhpKey, type PhpValue } from './php-array.ts';
import { PhpFloat } from './php-float.ts';
import { PhpScanner, type PhpToken } from './scanner.ts';

/**
 * Decodes bytes as PHP's `unserialize` does. Strings are copies. Throws ProtocolError `bad_frame`.
 */
export function decodePhp(bytes: Uint8Array, start = 0, end: number = bytes.length): PhpValue {
  const scanner = new PhpScanner(bytes, start, end);
  const first = scanner.next();
  const root = first === 'array' ? new PhpArray() : scalarAt(scanner, first);
  // Open arrays, the innermost last: a loop needs no call stack, however deep the value is.
  const open: PhpArray[] = root instanceof PhpArray ? [root] : [];
  for (let array = open.at(-1); array !== undefined; array = open.at(-1)) {
    const token = scanner.next();
    if (token === 'end') {
      open.pop();
      continue;
    }
    const key = ownKey(keyAt(scanner, token));
    const valueToken = scanner.next();
    const value = valueToken === 'array' ? new PhpArray() : scalarAt(scanner, valueToken);
    array.set(key, value);
    if (value instanceof PhpArray) open.push(value);
  }
  scanner.next();
  return root;
}

function scalarAt(scanner: PhpScanner, token: PhpToken): PhpValue {
  switch (token) {
    case 'boolean':
      return scanner.boolean();
    case 'integer':
      return scanner.integer();
    case 'float':
      return new PhpFloat(scanner.float());
    case 'string':
      return copyOf(scanner.string());
    default:
      return null;
  }
}

function ownKey(key: PhpKey): PhpKey {
  return key instanceof Uint8Array ? copyOf(key) : key;
}

/** Not `slice`, which is no copy in Node's Buffers. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
