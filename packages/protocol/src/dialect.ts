/** Encoding of the bodies of a peer. */
export type Dialect = 'native' | 'json' | 'php';

/** Returns the dialect of a body by its first byte, or `undefined` for an unknown one. */
export function dialectOf(firstByte: number): Dialect | undefined {
  if (firstByte < 0x20) return 'native';
  if (firstByte === 0x7b) return 'json'; // {
  if (firstByte === 0x61) return 'php'; // a
  return undefined;
}
