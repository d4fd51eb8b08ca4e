import { limits, native } from '@groupcast/protocol';

// Frames of peers without capabilities. What is read here is the frozen layout, written down once
// more: a change of the codec must not change it.

const DELIVER = 0x09;
/** Flags of the frozen layout: two bits of kind, and exclude_sender. */
const FLAGS = 0x07;
const HEADER_BYTES = 20;

/** The first frame of a bare peer: HELLO ends before the capabilities. */
export const BARE_HELLO: Uint8Array = withoutEnd(
  native.encodeHello({
    version: native.NATIVE_VERSION,
    nonce: new Uint8Array(limits.NONCE_BYTES),
    name: 'bare',
  }),
  4,
);

/** Returns the bare form of a PUBLISH or an ENQUEUE of an extended peer. */
export function bareFrame(frame: Uint8Array): Uint8Array {
  const opcode = frame[limits.FRAME_HEADER_BYTES];
  if (opcode !== native.OPCODES.publish) return frame;
  const deliver = frame.slice();
  deliver[limits.FRAME_HEADER_BYTES] = native.OPCODES.deliver;
  const bare = native.formFor(deliver, 0);
  if (bare === undefined) return frame;
  bare[limits.FRAME_HEADER_BYTES] = native.OPCODES.publish;
  return bare;
}

/** Reads a DELIVER in the frozen layout. Returns undefined for other frames. */
export function readBareDeliver(frame: Uint8Array): { channel: string; payload: Uint8Array } | undefined {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  if (bytes[4] !== DELIVER) return undefined;
  if (((bytes[5] ?? 0) & ~FLAGS) !== 0 || bytes.readUInt16BE(10) !== 0)
    throw new Error('A bare peer got a field that it does not know.');
  const senderAt = HEADER_BYTES + bytes.readUInt16BE(6);
  const payloadAt = senderAt + (bytes[8] ?? 0) + (bytes[9] ?? 0);
  return { channel: bytes.toString('utf8', HEADER_BYTES, senderAt), payload: bytes.subarray(payloadAt) };
}

/** Returns a frame without its last `count` bytes. */
function withoutEnd(frame: Uint8Array, count: number): Uint8Array {
  const cut = frame.slice(0, frame.length - count);
  new DataView(cut.buffer).setUint32(0, cut.length);
  return cut;
}
