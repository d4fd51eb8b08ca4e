const HALF_SURROGATE = /\p{Cs}/u;

/** Whether it is a string that has a form in UTF-8. */
export function isText(text: unknown): text is string {
  return typeof text === 'string' && !HALF_SURROGATE.test(text);
}

/** Length in UTF-8. */
export function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** Whether it is text of 1 to `bytesMax` bytes. */
export function isName(text: unknown, bytesMax: number): text is string {
  return isText(text) && text !== '' && utf8Bytes(text) <= bytesMax;
}
