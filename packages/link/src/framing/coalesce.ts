/**
 * Concatenates adjacent chunks below `smallBytes`, and keeps the order. With `copiesSingle`, a
 * small chunk without such neighbors is copied too, so that it does not keep a large buffer alive.
 */
export function coalesce(
  chunks: readonly Uint8Array[],
  smallBytes: number,
  copiesSingle: boolean,
): readonly Uint8Array[] {
  if (chunks.length === 1 && !copiesSingle) return chunks;
  const joined: Uint8Array[] = [];
  let from = 0;
  for (let index = 0; index <= chunks.length; index++) {
    const chunk = chunks[index];
    if (chunk !== undefined && chunk.length < smallBytes) continue;
    const small = chunks.slice(from, index);
    if (small.length > 1 || copiesSingle) {
      if (small.length > 0) joined.push(Buffer.concat(small));
    } else joined.push(...small);
    if (chunk !== undefined) joined.push(chunk);
    from = index + 1;
  }
  return joined;
}
