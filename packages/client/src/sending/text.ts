const HALF_SURROGATE = /\p{Cs}/u;

/** Returns whether it is a string that has a UTF-8 form. */
export function isText(text: unknown): text is string {
  return typeof text === 'string' && !HALF_SURROGATE.test(text);
}

/**
 * Returns the length in UTF-8, without a TextEncoder, which jsdom lacks. Half of a surrogate pair
 * has the length of the replacement character. Smaller than `utf8ByteLength` of the protocol.
 */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Returns whether it is text of 1 to `bytesMax` bytes. */
export function isName(text: unknown, bytesMax: number): text is string {
  return isText(text) && text !== '' && utf8Bytes(text) <= bytesMax;
}
