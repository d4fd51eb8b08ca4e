import { writeFrameLength } from '../frame.ts';
import { CHANNEL_NAME_BYTES_MAX, FRAME_HEADER_BYTES, SHORT_TEXT_BYTES_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import type { Position } from '../position.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText, utf8ByteLength, writeText } from '../text.ts';
import { ByteReader, textOf } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';

/** What the bytes of a payload are: UTF-8 text, JSON as UTF-8 text, or anything. */
export type PayloadKind = 'text' | 'json' | 'bytes';

/**
 * One message in a channel. PUBLISH (up) and DELIVER (down) have one layout, so that the hub turns the one into the other
 * by writing two fields in place, and forwards the same bytes to every subscriber.
 */
export interface Publication {
  readonly channel: string;
  readonly kind: PayloadKind;
  /** Keep it from the connection whose client id is `sender`. */
  readonly excludeSender: boolean;
  /** Client id of the publisher, or ''. */
  readonly sender: string;
  /** Given by the publisher so that a repetition can be told, or ''. */
  readonly messageId: string;
  /** A slice of the frame, not a copy. */
  readonly payload: Uint8Array;
  /** In a PUBLISH the request number, 0 when no answer is wanted; in a DELIVER the offset in the channel. */
  readonly number: number;
}

/** Hub to peer: the publication is in the engine, at this position. */
export interface Published {
  readonly type: 'published';
  readonly request: number;
  readonly position: Position;
}

// Layout behind the frame header, see PROTOCOL.md: opcode, flags, channel length (u16), sender length, message id length,
// two zero bytes, number (u64), then channel, sender, message id, payload.
const OPCODE_AT = FRAME_HEADER_BYTES;
const FLAGS_AT = OPCODE_AT + 1;
const CHANNEL_LENGTH_AT = OPCODE_AT + 2;
const SENDER_LENGTH_AT = OPCODE_AT + 4;
const MESSAGE_ID_LENGTH_AT = OPCODE_AT + 5;
const ZERO_AT = OPCODE_AT + 6;
const NUMBER_AT = OPCODE_AT + 8;
const NAMES_AT = OPCODE_AT + 16;

/** What a publication adds to its payload, names not counted, in bytes. */
export const PUBLICATION_HEADER_BYTES: number = NAMES_AT;

const KINDS = ['text', 'bytes', 'json'] as const satisfies readonly PayloadKind[];
const KIND_MASK = 0x03;
const EXCLUDE_SENDER_FLAG = 0x04;

/** A publication whose payload may still be the text that it is made of; half of a surrogate pair becomes U+FFFD. */
export type PublicationToEncode = Omit<Publication, 'payload'> & { readonly payload: string | Uint8Array };

export function encodePublish(publication: PublicationToEncode): Uint8Array {
  return encodePublication(OPCODES.publish, publication);
}

export function encodeDeliver(publication: PublicationToEncode): Uint8Array {
  return encodePublication(OPCODES.deliver, publication);
}

// Every text goes to its place at once: to encode each on its own costs several times as much.
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
  writeNumber(frame, publication.number);
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
  throw new RangeError(`A field takes text of at most ${bytesMax} bytes of UTF-8; this one has ${bytes}.`);
}

/** Turns a PUBLISH that `decodePublication` took into the DELIVER with this offset, in place. */
export function turnIntoDeliver(frame: Uint8Array, offset: number): void {
  frame[OPCODE_AT] = OPCODES.deliver;
  writeNumber(frame, offset);
}

function writeNumber(frame: Uint8Array, value: number): void {
  const high = Math.floor(value / 2 ** 32);
  const low = value >>> 0;
  frame[NUMBER_AT] = high >>> 24;
  frame[NUMBER_AT + 1] = high >>> 16;
  frame[NUMBER_AT + 2] = high >>> 8;
  frame[NUMBER_AT + 3] = high;
  frame[NUMBER_AT + 4] = low >>> 24;
  frame[NUMBER_AT + 5] = low >>> 16;
  frame[NUMBER_AT + 6] = low >>> 8;
  frame[NUMBER_AT + 7] = low;
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
