import { writeFrameLength } from '../frame.ts';
import { FRAME_HEADER_BYTES } from '../limits.ts';
import { ProtocolError } from '../protocol-error.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';
import {
  CHANNEL_LENGTH_AT,
  EPHEMERAL_FLAG,
  FLAGS_AT,
  KEY_HEADER_BYTES,
  KEYED_FLAG,
  MESSAGE_ID_LENGTH_AT,
  META_LENGTH_AT,
  OPCODE_AT,
  PUBLICATION_HEADER_BYTES,
  SENDER_LENGTH_AT,
  TIME_AT,
} from './publication.ts';
import { decodeSubscribed } from './subscription.ts';

// The bare layouts, for peers without the capability `extended`: see PROTOCOL.md, "Capabilities".
// A hub works with extended frames, and converts those of such a peer here.

/** Index of the queue's length in an ENQUEUE or an ITEM. */
const QUEUE_LENGTH_AT: number = OPCODE_AT + 12;

/** Bytes at the end of an extended frame that a bare one does not have. */
const PAGE_EXTENSION_BYTES = 2;
const WELCOME_EXTENSION_BYTES = 4;

/**
 * Returns the extended form of a frame that a bare peer sent; other frames than PUBLISH and ENQUEUE
 * have one form. Throws ProtocolError.
 */
export function fromBare(frame: Uint8Array): Uint8Array {
  const opcode = frame[OPCODE_AT];
  if (opcode === OPCODES.publish) {
    checkBarePublish(frame);
    return withGap(frame, TIME_AT, PUBLICATION_HEADER_BYTES - TIME_AT);
  }
  if (opcode === OPCODES.enqueue) {
    const at = queueEnd(frame);
    return at > frame.length ? frame : withGap(frame, at, 1);
  }
  return frame;
}

/** Returns the form for a bare peer, or undefined for a frame that it does not get. */
export function toBare(frame: Uint8Array): Uint8Array | undefined {
  switch (frame[OPCODE_AT]) {
    case OPCODES.deliver:
      return bareDeliver(frame);
    case OPCODES.item: {
      const at = queueEnd(frame);
      return withoutBytes(frame, at, 1 + (frame[at] ?? 0));
    }
    case OPCODES.subscribed:
      return bareSubscribed(frame);
    case OPCODES.page:
      return withoutBytes(frame, frame.length - PAGE_EXTENSION_BYTES, PAGE_EXTENSION_BYTES);
    case OPCODES.welcome:
      return withoutBytes(frame, frame.length - WELCOME_EXTENSION_BYTES, WELCOME_EXTENSION_BYTES);
    default:
      return frame;
  }
}

function checkBarePublish(frame: Uint8Array): void {
  // What was reserved is not: in the extended form it would have a meaning.
  const reserved = u16(frame, META_LENGTH_AT) | ((frame[FLAGS_AT] ?? 0) & (EPHEMERAL_FLAG | KEYED_FLAG));
  if (reserved !== 0 || frame.length < TIME_AT)
    throw new ProtocolError(
      'bad_frame',
      'A PUBLISH without capabilities has only the fields of the bare layout.',
    );
}

function bareDeliver(frame: Uint8Array): Uint8Array | undefined {
  const flags = frame[FLAGS_AT] ?? 0;
  if ((flags & EPHEMERAL_FLAG) !== 0) return undefined;
  const metaAt =
    PUBLICATION_HEADER_BYTES +
    u16(frame, CHANNEL_LENGTH_AT) +
    (frame[SENDER_LENGTH_AT] ?? 0) +
    (frame[MESSAGE_ID_LENGTH_AT] ?? 0);
  const keyAt = metaAt + u16(frame, META_LENGTH_AT);
  const isKeyed = (flags & KEYED_FLAG) !== 0;
  const payloadAt = isKeyed ? keyAt + KEY_HEADER_BYTES + u16(frame, keyAt + KEY_HEADER_BYTES - 2) : keyAt;
  const names = frame.subarray(PUBLICATION_HEADER_BYTES, metaAt);
  const bare = new Uint8Array(TIME_AT + names.length + frame.length - payloadAt);
  bare.set(frame.subarray(0, TIME_AT));
  bare.set(names, TIME_AT);
  bare.set(frame.subarray(payloadAt), TIME_AT + names.length);
  bare[FLAGS_AT] = flags & ~KEYED_FLAG;
  bare[META_LENGTH_AT] = 0;
  bare[META_LENGTH_AT + 1] = 0;
  writeFrameLength(bare);
  return bare;
}

function bareSubscribed(frame: Uint8Array): Uint8Array {
  const { request, entries } = decodeSubscribed(new ByteReader(frame, FRAME_HEADER_BYTES + 1));
  const writer = new ByteWriter(OPCODES.subscribed).u64(request).u16(entries.length);
  for (const { name, prefix, position } of entries)
    writer
      .u8(prefix ? 1 : 0)
      .text(name)
      .u64(position.offset)
      .shortText(position.epoch);
  return writer.frame();
}

function queueEnd(frame: Uint8Array): number {
  return QUEUE_LENGTH_AT + 2 + u16(frame, QUEUE_LENGTH_AT);
}

/** Returns a copy of a frame with `count` zero bytes at `at`. */
function withGap(frame: Uint8Array, at: number, count: number): Uint8Array {
  const wide = new Uint8Array(frame.length + count);
  wide.set(frame.subarray(0, at));
  wide.set(frame.subarray(at), at + count);
  writeFrameLength(wide);
  return wide;
}

/** Returns a copy of a frame without `count` bytes at `at`. */
export function withoutBytes(frame: Uint8Array, at: number, count: number): Uint8Array {
  const narrow = new Uint8Array(frame.length - count);
  narrow.set(frame.subarray(0, at));
  narrow.set(frame.subarray(at + count), at);
  writeFrameLength(narrow);
  return narrow;
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
