import { writeFrameLength } from '../frame.ts';
import { CHANNEL_NAME_BYTES_MAX, FRAME_HEADER_BYTES, SHORT_TEXT_BYTES_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import type { Position } from '../position.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText, writeText } from '../text.ts';
import { utf8ByteLength } from '../utf8-length.ts';
import { ByteReader, textOf } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';

/** Content of a payload: UTF-8 text, JSON as UTF-8 text, or any bytes. */
export type PayloadKind = 'text' | 'json' | 'bytes';

/**
 * One message in a channel. PUBLISH (up) and DELIVER (down) have one layout: the hub turns one into
 * the other by writing two fields in place, and forwards the same bytes to all subscribers.
 */
export interface Publication {
  readonly channel: string;
  readonly kind: PayloadKind;
  /** Keeps it from the connection whose client id is `sender`. */
  readonly excludeSender: boolean;
  /** Client id of the publisher, or ''. */
  readonly sender: string;
  /** Given by the publisher to identify repetitions, or ''. */
  readonly messageId: string;
  /** A slice of the frame, not a copy. */
  readonly payload: Uint8Array;
  /**
   * In a PUBLISH the request number, or 0 for no answer; in a DELIVER the offset in the channel.
   */
  readonly number: number;
}

/** Hub to peer: the engine has the publication, at this position. */
export interface Published {
  readonly type: 'published';
  readonly request: number;
  readonly position: Position;
}

// Layout after the frame header, see PROTOCOL.md: opcode, flags, channel length (u16), sender
// length, message id length, two zero bytes, number (u64), then channel, sender, message id,
// payload.
export const OPCODE_AT: number = FRAME_HEADER_BYTES;
export const FLAGS_AT: number = OPCODE_AT + 1;
export const CHANNEL_LENGTH_AT: number = OPCODE_AT + 2;
export const SENDER_LENGTH_AT: number = OPCODE_AT + 4;
export const MESSAGE_ID_LENGTH_AT: number = OPCODE_AT + 5;
export const ZERO_AT: number = OPCODE_AT + 6;
export const NUMBER_AT: number = OPCODE_AT + 8;
const NAMES_AT: number = OPCODE_AT + 16;

/** Bytes of a publication besides its names and payload. */
export const PUBLICATION_HEADER_BYTES: number = NAMES_AT;

export const KINDS = ['text', 'bytes', 'json'] as const satisfies readonly PayloadKind[];
export const KIND_MASK = 0x03;
export const EXCLUDE_SENDER_FLAG = 0x04;

/** A publication whose payload may be a string. Half a surrogate pair becomes U+FFFD. */
export type PublicationToEncode = Omit<Publication, 'payload'> & { readonly payload: string | Uint8Array };

export function encodePublish(publication: PublicationToEncode): Uint8Array {
  return encodePublication(OPCODES.publish, publication);
}

export function encodeDeliver(publication: PublicationToEncode): Uint8Array {
  return encodePublication(OPCODES.deliver, publication);
}

// Writes each text in place: to encode each by itself costs several times as much.
function encodePublication(opcode: number, publication: PublicationToEncode): Uint8Array {
  const { channel, sender, messageId, payload } = publication;
  const channelBytes = lengthOf(channel, CHANNEL_NAME_BYTES_MAX);
  const senderBytes = lengthOf(sender, SHORT_TEXT_BYTES_MAX);
  const messageIdBytes = lengthOf(messageId, SHORT_TEXT_BYTES_MAX);
  const payloadBytes = typeof payload === 'string' ? utf8ByteLength(payload) : payload.length;
  if (payloadBytes < 0)
    return encodePublication(opcode, { ...publication, payload: encodeText(String(payload)) });
  const frame = new Uint8Array(NAMES_AT + channelBytes + senderBytes + messageIdBytes + payloadBytes);
  writeFrameLength(frame);
  frame[OPCODE_AT] = opcode;
  frame[FLAGS_AT] = KINDS.indexOf(publication.kind) | (publication.excludeSender ? EXCLUDE_SENDER_FLAG : 0);
  frame[CHANNEL_LENGTH_AT] = channelBytes >>> 8;
  frame[CHANNEL_LENGTH_AT + 1] = channelBytes;
  frame[SENDER_LENGTH_AT] = senderBytes;
  frame[MESSAGE_ID_LENGTH_AT] = messageIdBytes;
  writeNumber(frame, NUMBER_AT, publication.number);
  const senderAt = writeText(frame, NAMES_AT, channel, channelBytes);
  const messageIdAt = writeText(frame, senderAt, sender, senderBytes);
  const payloadAt = writeText(frame, messageIdAt, messageId, messageIdBytes);
  if (typeof payload === 'string') writeText(frame, payloadAt, payload, payloadBytes);
  else frame.set(payload, payloadAt);
  return frame;
}

function lengthOf(text: string, bytesMax: number): number {
  const bytes = utf8ByteLength(text);
  if (bytes >= 0 && bytes <= bytesMax) return bytes;
  throw new RangeError(`A text has ${bytes} bytes of UTF-8; the field has ${bytesMax} at most.`);
}

/** Turns the valid PUBLISH at `start` into the DELIVER with this offset, in place. */
export function turnIntoDeliver(bytes: Uint8Array, offset: number, start = 0): void {
  bytes[start + OPCODE_AT] = OPCODES.deliver;
  writeNumber(bytes, start + NUMBER_AT, offset);
}

function writeNumber(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  const low = value >>> 0;
  bytes[at] = high >>> 24;
  bytes[at + 1] = high >>> 16;
  bytes[at + 2] = high >>> 8;
  bytes[at + 3] = high;
  bytes[at + 4] = low >>> 24;
  bytes[at + 5] = low >>> 16;
  bytes[at + 6] = low >>> 8;
  bytes[at + 7] = low;
}

/** Reads a whole PUBLISH or DELIVER frame, header included. */
export function decodePublication(frame: Uint8Array): Publication {
  const reader = new ByteReader(frame, FLAGS_AT);
  const flags = reader.u8();
  const kind = KINDS[flags & KIND_MASK];
  if (kind === undefined || (flags & ~(KIND_MASK | EXCLUDE_SENDER_FLAG)) !== 0) {
    throw new ProtocolError('bad_frame', `Unknown publication flags ${flags}.`);
  }
  const channelLength = reader.u16();
  const senderLength = reader.u8();
  const messageIdLength = reader.u8();
  if (reader.u16() !== 0)
    throw new ProtocolError('bad_frame', `Bytes ${ZERO_AT} and ${ZERO_AT + 1} must be zero.`);
  const number = reader.u64();
  const channel = textOf(reader.bytes(channelLength));
  if (!isChannelName(channel)) throw new ProtocolError('bad_channel');
  return {
    channel,
    kind,
    excludeSender: (flags & EXCLUDE_SENDER_FLAG) !== 0,
    sender: senderLength === 0 ? '' : textOf(reader.bytes(senderLength)),
    messageId: messageIdLength === 0 ? '' : textOf(reader.bytes(messageIdLength)),
    payload: reader.rest(),
    number,
  };
}

export function encodePublished(published: Omit<Published, 'type'>): Uint8Array {
  const { request, position } = published;
  return new ByteWriter(OPCODES.published)
    .u64(request)
    .u64(position.offset)
    .shortText(position.epoch)
    .frame();
}

export function decodePublished(reader: ByteReader): Published {
  const request = reader.u64();
  const offset = reader.u64();
  return { type: 'published', request, position: { offset, epoch: reader.shortText() } };
}
