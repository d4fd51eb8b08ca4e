/**
 * Ways in which the network may split a stream: not at all, after each byte, and in two at each
 * place.
 */
export function everySplit(stream: Uint8Array): { readonly how: string; readonly chunks: Uint8Array[] }[] {
  const splits = [
    { how: 'whole', chunks: [stream.slice()] },
    { how: 'byte by byte', chunks: Array.from(stream, (byte) => Uint8Array.of(byte)) },
  ];
  for (let at = 1; at < stream.length; at++) {
    splits.push({ how: `cut at ${at}`, chunks: [stream.slice(0, at), stream.slice(at)] });
  }
  return splits;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
