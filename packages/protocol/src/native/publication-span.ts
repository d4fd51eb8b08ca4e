import { CHANNEL_NAME_BYTES_MAX, META_BYTES_MAX } from '../limits.ts';
import { OPCODES } from './opcode.ts';
import {
  CHANNEL_LENGTH_AT,
  EXCLUDE_SENDER_FLAG,
  FLAGS_AT,
  KEYED_FLAG,
  KIND_MASK,
  KINDS,
  MESSAGE_ID_LENGTH_AT,
  META_LENGTH_AT,
  NUMBER_AT,
  OPCODE_AT,
  PUBLICATION_HEADER_BYTES,
  SENDER_LENGTH_AT,
  TIME_AT,
  writeNumber,
} from './publication.ts';

// Publications within other bytes, by index: this creates neither objects nor strings.

/** A larger high half makes a number larger than 2^53 - 1. */
const HIGH_HALF_MAX = 0x1fffff;

/**
 * Returns whether the frame from `start` to `end` is a PUBLISH without a message id and a key, not
 * ephemeral, that is valid, except perhaps for its channel name. False means only that it must be
 * decoded.
 */
export function isPlainPublish(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= PUBLICATION_HEADER_BYTES || bytes[start + OPCODE_AT] !== OPCODES.publish) return false;
  const flags = bytes[start + FLAGS_AT] ?? 0;
  const from = senderAt(bytes, start);
  const to = from + senderLengthAt(bytes, start);
  const metaBytes = u16(bytes, start + META_LENGTH_AT);
  return (
    (flags & KIND_MASK) < KINDS.length &&
    (flags & ~(KIND_MASK | EXCLUDE_SENDER_FLAG)) === 0 &&
    bytes[start + MESSAGE_ID_LENGTH_AT] === 0 &&
    metaBytes <= META_BYTES_MAX &&
    channelLengthAt(bytes, start) <= CHANNEL_NAME_BYTES_MAX &&
    u32(bytes, start + NUMBER_AT) <= HIGH_HALF_MAX &&
    u32(bytes, start + TIME_AT) <= HIGH_HALF_MAX &&
    to + metaBytes <= end &&
    // Subscribers decode sender and meta. In ASCII they are UTF-8.
    isAscii(bytes, from, to + metaBytes)
  );
}

/** Returns the start of the channel name in the publication at `start`. */
export function channelAt(start: number): number {
  return start + PUBLICATION_HEADER_BYTES;
}

/** Returns the length of the channel name in the publication at `start`, in bytes. */
export function channelLengthAt(bytes: Uint8Array, start: number): number {
  return u16(bytes, start + CHANNEL_LENGTH_AT);
}

/** Returns the start of the sender in the publication at `start`. */
export function senderAt(bytes: Uint8Array, start: number): number {
  return start + PUBLICATION_HEADER_BYTES + channelLengthAt(bytes, start);
}

/** Returns the length of the sender in the publication at `start`, in bytes; 0 without one. */
export function senderLengthAt(bytes: Uint8Array, start: number): number {
  return bytes[start + SENDER_LENGTH_AT] ?? 0;
}

/** Returns the request number of the PUBLISH, or the offset of the DELIVER, at `start`. */
export function numberAt(bytes: Uint8Array, start: number): number {
  return u32(bytes, start + NUMBER_AT) * 2 ** 32 + u32(bytes, start + NUMBER_AT + 4);
}

/** Returns whether the publication at `start` has a key. */
export function isKeyed(bytes: Uint8Array, start = 0): boolean {
  return ((bytes[start + FLAGS_AT] ?? 0) & KEYED_FLAG) !== 0;
}

/** Writes the life of the valid keyed publication at `start`, in milliseconds; 0: endless. */
export function writeLife(bytes: Uint8Array, lifeMs: number, start = 0): void {
  writeNumber(bytes, lifeAt(bytes, start), lifeMs);
}

/** Returns the start of the life, and of the key behind it, in the keyed publication at `start`. */
export function lifeAt(bytes: Uint8Array, start = 0): number {
  const namesBytes = senderLengthAt(bytes, start) + (bytes[start + MESSAGE_ID_LENGTH_AT] ?? 0);
  return senderAt(bytes, start) + namesBytes + u16(bytes, start + META_LENGTH_AT);
}

function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function u32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0)) >>>
    0
  );
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if ((bytes[at] ?? 0) > 0x7f) return false;
  }
  return true;
}
