// Apart from text.ts, because jsdom has no TextEncoder.

/** Length in UTF-8, or -1 when the text holds half of a surrogate pair and so has no UTF-8 form. */
export function utf8ByteLength(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit < 0xd800 || unit > 0xdfff) bytes += 3;
    else {
      const next = text.charCodeAt(index + 1);
      const paired = unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff;
      if (!paired) return -1;
      bytes += 4;
      index += 1;
    }
  }
  return bytes;
}

/** Returns whether the text has a UTF-8 form, of at most `bytesMax` bytes. */
export function fitsUtf8(text: string, bytesMax: number): boolean {
  // Spares the count of a text that is far too long.
  if (text.length > bytesMax) return false;
  const bytes = utf8ByteLength(text);
  return bytes >= 0 && bytes <= bytesMax;
}

/** Returns whether it is a text of 1 to `bytesMax` bytes of UTF-8. */
export function isShortText(value: unknown, bytesMax: number): value is string {
  return typeof value === 'string' && value !== '' && fitsUtf8(value, bytesMax);
}
