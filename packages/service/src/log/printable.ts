/** Bytes of a client's text that a log line shows by default. */
const PRINTABLE_BYTES_MAX = 256;

const ELLIPSIS = '…';
const ELLIPSIS_BYTES = 3;

// C0, DEL and C1 move the cursor, colour the terminal or end the line; U+2028 and U+2029 end lines
// for some readers; the bidirectional marks make a line read other than it is; a lone surrogate is
// no character.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/**
 * Makes text of a peer safe for a log line or a terminal. Control characters (ANSI escapes too)
 * become visible escapes such as `\x1b`, and the result has at most `maxBytes` of UTF-8, with `…`
 * at the end where it was cut. The work is bounded by `maxBytes`, also for longer texts.
 */
export function printable(text: string, maxBytes: number = PRINTABLE_BYTES_MAX): string {
  let shown = '';
  let shownBytes = 0;
  // The place to cut, so that the ellipsis still fits.
  let cut = 0;
  for (const character of text) {
    const piece = UNPRINTABLE.test(character) ? escapeCharacter(character) : character;
    shownBytes += Buffer.byteLength(piece);
    if (shownBytes > maxBytes) return maxBytes < ELLIPSIS_BYTES ? '' : shown.slice(0, cut) + ELLIPSIS;
    shown += piece;
    if (shownBytes + ELLIPSIS_BYTES <= maxBytes) cut = shown.length;
  }
  return shown;
}

function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  const point = character.codePointAt(0) ?? 0;
  const hex = point.toString(16);
  return point <= 0xff ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`;
}
