/** Limit for the result that is kept, in bytes. Longer ones are the backlog of a single peer. */
const KEPT_BYTES_MAX = 64 * 1024;

let lastChunks: readonly Uint8Array[] = [];
let lastJoined: Buffer = Buffer.alloc(0);

/**
 * Concatenates chunks. The last result is returned again for equal chunks: links with the same
 * subscriptions send the same frames one after another. Callers must not change it.
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
