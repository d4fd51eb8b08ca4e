export const OPCODE = {
  continuation: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

const FINAL = 0x80;
const MASKED = 0x80;
const MASK_BYTES = 4;
const LENGTH_16 = 126;
const LENGTH_64 = 127;
const SHORT_BYTES_MAX = 125;
const LENGTH_16_MAX = 0xffff;

/**
 * Encodes a WebSocket frame of a client. Its masking key is zero, so masking costs nothing. RFC
 * 6455 5.3 requires unpredictable keys, because scripts in a browser could otherwise forge requests
 * to proxies; this program sends only its own messages.
 */
export function encodeClientFrame(opcode: number, payload: Uint8Array | string): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const start = clientFrameHeadBytes(body.length);
  const frame = Buffer.alloc(start + body.length);
  frame[0] = FINAL | opcode;
  if (body.length <= SHORT_BYTES_MAX) {
    frame[1] = MASKED | body.length;
  } else if (body.length <= LENGTH_16_MAX) {
    frame[1] = MASKED | LENGTH_16;
    frame.writeUInt16BE(body.length, 2);
  } else {
    frame[1] = MASKED | LENGTH_64;
    frame.writeUInt32BE(body.length, 6);
  }
  frame.set(body, start);
  return frame;
}

/** Returns the position of a payload of `length` bytes in its frame. */
export function clientFrameHeadBytes(payloadBytes: number): number {
  if (payloadBytes <= SHORT_BYTES_MAX) return 2 + MASK_BYTES;
  return (payloadBytes <= LENGTH_16_MAX ? 4 : 10) + MASK_BYTES;
}
