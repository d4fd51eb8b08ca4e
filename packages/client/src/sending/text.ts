const HALF_SURROGATE = /\p{Cs}/u;

/** Whether it is a string that has a form in UTF-8. */
export function isText(text: unknown): text is string {
  return typeof text === 'string' && !HALF_SURROGATE.test(text);
}

/** Length in UTF-8, counted here: jsdom has no TextEncoder. Half of a surrogate pair counts as the character that replaces it. */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Whether it is text of 1 to `bytesMax` bytes. */
export function isName(text: unknown, bytesMax: number): text is string {
  return isText(text) && text !== '' && utf8Bytes(text) <= bytesMax;
}
