/** How a peer of the hub writes its bodies. */
export type Dialect = 'native' | 'json' | 'php';

/** The dialect that the first byte of a frame's body names; `undefined` for a byte that names none. */
export function dialectOf(firstByte: number): Dialect | undefined {
  if (firstByte < 0x20) return 'native';
  if (firstByte === 0x7b) return 'json'; // {
  if (firstByte === 0x61) return 'php'; // a
  return undefined;
}
