/** First bytes of frames (RFC 6455, section 5.2): FIN, RSV1 to RSV3, and the opcode. */
export const TEXT = 0x81;
export const BINARY = 0x82;
export const PING = 0x89;
export const CLOSE = 0x88;
export const FIRST_FRAGMENT = 0x01;
export const NEXT_FRAGMENT = 0x00;
export const LAST_FRAGMENT = 0x80;

/** Returns a valid handshake; the given header lines come last. */
export function handshake(headers: readonly string[] = []): string {
  return [
    'GET / HTTP/1.1',
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
    '\r\n',
  ].join('\r\n');
}

/** Returns a frame of a client, masked with zeros. */
export function clientFrame(first: number, payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.of(first), maskedLength(bytes.length), Buffer.alloc(4), bytes]);
}

function maskedLength(length: number): Buffer {
  if (length < 126) return Buffer.of(0x80 | length);
  const long = Buffer.alloc(length <= 0xffff ? 3 : 9);
  long[0] = length <= 0xffff ? 0xfe : 0xff;
  long.writeUIntBE(length, long.length === 3 ? 1 : 3, long.length === 3 ? 2 : 6);
  return long;
}

/** Returns a frame of a server. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Returns all complete frames after the server's answer to the handshake. */
export function serverFrames(received: Buffer): ServerFrame[] {
  const frames: ServerFrame[] = [];
  const head = received.indexOf('\r\n\r\n');
  let at = head < 0 ? received.length : head + 4;
  while (at + 2 <= received.length) {
    const short = received.readUInt8(at + 1);
    const begin = at + (short === 127 ? 10 : short === 126 ? 4 : 2);
    if (begin > received.length) break;
    const length =
      short < 126 ? short : received.readUIntBE(short === 127 ? at + 4 : at + 2, short === 127 ? 6 : 2);
    if (begin + length > received.length) break;
    frames.push({ opcode: received.readUInt8(at) & 0x0f, payload: received.subarray(begin, begin + length) });
    at = begin + length;
  }
  return frames;
}
