/**
 * Returns whether an object in a JSON text has the same key twice. Parsers disagree on which one
 * counts: what an issuer has signed, or an operator written, must mean the same to every reader.
 * `value` is the parsed text.
 */
export function hasDuplicateKeys(json: string, value: unknown): boolean {
  return writtenKeys(json) !== parsedKeys(value);
}

/** Counts the strings with a colon behind them: these are the keys. */
function writtenKeys(json: string): number {
  let keys = 0;
  let start = json.indexOf('"');
  while (start >= 0) {
    let end = start + 1;
    while (end < json.length && json[end] !== '"') end += json[end] === '\\' ? 2 : 1;
    let next = end + 1;
    while (isSpace(json[next])) next += 1;
    if (json[next] === ':') keys += 1;
    start = json.indexOf('"', end + 1);
  }
  return keys;
}

function parsedKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const values = Object.values(value);
  const inside = values.reduce((sum: number, item) => sum + parsedKeys(item), 0);
  return Array.isArray(value) ? inside : values.length + inside;
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\n' || character === '\r' || character === '\t';
}
