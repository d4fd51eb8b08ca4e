/** What is kept of the last join, at the longest: more is one peer's backlog, and no other's. */
const KEPT_BYTES_MAX = 64 * 1024;

let lastChunks: readonly Uint8Array[] = [];
let lastJoined: Buffer = Buffer.alloc(0);

/**
 * The chunks as one. Links whose peers follow the same are given the same frames one after the other: what is asked for again at once is not copied again. The
 * answer must not be changed.
 */
export function concatCached(chunks: readonly Uint8Array[]): Buffer {
  if (isSame(chunks, lastChunks)) return lastJoined;
  const joined = Buffer.concat(chunks);
  if (joined.length <= KEPT_BYTES_MAX) {
    lastChunks = chunks;
    lastJoined = joined;
  }
  return joined;
}

function isSame(chunks: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  if (chunks.length !== others.length) return false;
  for (let index = 0; index < chunks.length; index++) if (chunks[index] !== others[index]) return false;
  return true;
}
