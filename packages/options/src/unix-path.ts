import { utf8ByteLength } from '@groupcast/protocol';

/** Bytes of a path above which Linux cuts off the name of a Unix socket without an error. */
const PATH_BYTES_MAX = 107;

/** Returns what a path of a Unix socket must be, or `undefined` for a valid one or none (''). */
export function unixPathFault(path: string): string | undefined {
  const bytes = utf8ByteLength(path);
  if (bytes > PATH_BYTES_MAX) {
    return `a path of at most ${PATH_BYTES_MAX} bytes, not ${bytes}: choose a shorter one, such as /run/groupcast/hub.sock`;
  }
  return path.includes('\0') ? 'a path without NUL characters' : undefined;
}
