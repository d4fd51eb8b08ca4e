/** First words of HTTP requests and responses, four letters of each. */
const HTTP_WORDS: ReadonlySet<string> = new Set([
  'GET ',
  'HEAD',
  'POST',
  'PUT ',
  'OPTI',
  'HTTP',
  'PRI ',
  'CONN',
]);

const TLS_RECORD_TYPES: ReadonlySet<number> = new Set([0x15, 0x16]);
const TLS_MINOR_VERSION_MAX = 4;

/**
 * Names the protocol whose first four bytes were read as the length of a frame, or returns
 * `undefined`. All these lengths are above the ceiling for frames.
 */
export function foreignProtocol(length: number): 'TLS' | 'HTTP' | undefined {
  const bytes = [length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff];
  const [type = 0, major, minor = 0] = bytes;
  if (TLS_RECORD_TYPES.has(type) && major === 3 && minor <= TLS_MINOR_VERSION_MAX) return 'TLS';
  return HTTP_WORDS.has(String.fromCharCode(...bytes)) ? 'HTTP' : undefined;
}
