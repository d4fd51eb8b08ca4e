// A server's text frame, RFC 6455 section 5.2: FIN and opcode 1, no mask, the length in 7, 16 or 64
// bits, the payload.
const FIN_TEXT = 0x81;
const LENGTH_7_MAX = 125;
const LENGTH_16_MAX = 0xffff;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

function headerBytes(payloadBytes: number): number {
  if (payloadBytes <= LENGTH_7_MAX) return 2;
  return payloadBytes <= LENGTH_16_MAX ? 4 : 10;
}

/** Writes the header of a frame at `at`; returns the offset of the payload. */
function writeHeader(target: Buffer, at: number, payloadBytes: number): number {
  target[at] = FIN_TEXT;
  if (payloadBytes <= LENGTH_7_MAX) {
    target[at + 1] = payloadBytes;
    return at + 2;
  }
  if (payloadBytes <= LENGTH_16_MAX) {
    target[at + 1] = LENGTH_16;
    return target.writeUInt16BE(payloadBytes, at + 2);
  }
  target[at + 1] = LENGTH_64;
  return target.writeUInt32BE(payloadBytes, target.writeUInt32BE(0, at + 2));
}

/** Encodes one text as a frame. */
export function textFrame(text: string): Buffer {
  const payloadBytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(headerBytes(payloadBytes) + payloadBytes);
  frame.write(text, writeHeader(frame, 0, payloadBytes), 'utf8');
  return frame;
}

/** Encodes texts, given as UTF-8, as consecutive frames. Copies every byte once. */
export function textFrames(payloads: readonly Uint8Array[]): Buffer {
  let bytes = 0;
  for (const payload of payloads) bytes += headerBytes(payload.length) + payload.length;
  const frames = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const payload of payloads) {
    at = writeHeader(frames, at, payload.length);
    frames.set(payload, at);
    at += payload.length;
  }
  return frames;
}

/** Returns the payloads of frames that `textFrame` or `textFrames` encoded, as slices. */
export function payloadsOf(frames: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(frames.buffer, frames.byteOffset, frames.length);
  const payloads: Uint8Array[] = [];
  for (let at = 0; at < frames.length; ) {
    let payloadBytes = view.getUint8(at + 1);
    if (payloadBytes === LENGTH_16) payloadBytes = view.getUint16(at + 2);
    else if (payloadBytes === LENGTH_64) payloadBytes = view.getUint32(at + 6);
    at += headerBytes(payloadBytes);
    payloads.push(frames.subarray(at, at + payloadBytes));
    at += payloadBytes;
  }
  return payloads;
}
