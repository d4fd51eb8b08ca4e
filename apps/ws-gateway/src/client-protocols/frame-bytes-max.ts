/**
 * Bytes of a frame beside its message and its meta: header, envelope with the longest offset,
 * client id.
 */
const FRAME_OVERHEAD_BYTES = 128;

const ARRAY = 0x5b;
const OBJECT = 0x7b;

/**
 * Returns an upper bound for the bytes of a message's frame in any protocol. `text` is the message
 * to publish, `commandBytes` the length of the client's command, `metaBytes` that of its meta.
 */
export function frameBytesMax(text: string, commandBytes: number, metaBytes = 0): number {
  const first = text.charCodeAt(0);
  // A string is no longer as JSON than its client wrote it. Other values become text in which
  // quotes and white space are escaped, with two bytes each.
  const escapesMax = first === ARRAY || first === OBJECT ? text.length : 0;
  return commandBytes + escapesMax + metaBytes + FRAME_OVERHEAD_BYTES;
}
