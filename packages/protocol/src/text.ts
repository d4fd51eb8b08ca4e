const encoder = new TextEncoder();
// Strict, because a name that is not UTF-8 could not be forwarded. A byte order mark is a character
// like any other.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeText(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Limit in bytes below which a loop is faster than a call of the encoder. */
const SHORT_BYTES = 48;

/** Writes a text as UTF-8 into `bytes` bytes, its length by `utf8ByteLength`. Returns the end. */
export function writeText(target: Uint8Array, at: number, text: string, bytes: number): number {
  const end = at + bytes;
  // With as many bytes as units it is ASCII.
  if (bytes === text.length && bytes <= SHORT_BYTES) {
    for (let index = 0; index < bytes; index++) target[at + index] = text.charCodeAt(index);
  } else {
    encoder.encodeInto(text, target.subarray(at, end));
  }
  return end;
}

/** Throws a TypeError for bytes that are not UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}
