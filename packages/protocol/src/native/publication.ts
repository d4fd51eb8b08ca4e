import { writeFrameLength } from '../frame.ts';
import {
  CHANNEL_NAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  KEY_BYTES_MAX,
  META_BYTES_MAX,
  SHORT_TEXT_BYTES_MAX,
} from '../limits.ts';
import { isChannelName, isKey } from '../name.ts';
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
  /** JSON object by the publishing peer, at most META_BYTES_MAX bytes, or ''. Not checked. */
  readonly meta: string;
  /** A slice of the frame, not a copy. Of a keyed publication: empty when it removes the key. */
  readonly payload: Uint8Array;
  /**
   * In a PUBLISH the request number, or 0 for no answer; in a DELIVER the offset in the channel, or
   * for an ephemeral publication the offset of the publication before it.
   */
  readonly number: number;
  /** Time at which the hub assigned the offset, in milliseconds since 1970; 0 in a PUBLISH. */
  readonly timeMs: number;
  /** Whether it has no offset, and is in no history. */
  readonly ephemeral: boolean;
  /** Undefined for a publication without a key. */
  readonly keyed: Keyed | undefined;
}

/** Key of a publication whose payload is the value of the key from then on. */
export interface Keyed {
  /** 1 to KEY_BYTES_MAX bytes. */
  readonly key: string;
  /** Milliseconds until the value expires, from the delivery on; 0: never. */
  readonly lifeMs: number;
}

/** Hub to peer: the engine has the publication, at this position. */
export interface Published {
  readonly type: 'published';
  readonly request: number;
  readonly position: Position;
}

// Layout after the frame header, see PROTOCOL.md: opcode, flags, channel length (u16), sender
// length, message id length, meta length (u16), number (u64), time (u64), then channel, sender,
// message id, meta, with the keyed flag life (u64) and key length (u16) and key, and payload.
export const OPCODE_AT: number = FRAME_HEADER_BYTES;
export const FLAGS_AT: number = OPCODE_AT + 1;
export const CHANNEL_LENGTH_AT: number = OPCODE_AT + 2;
export const SENDER_LENGTH_AT: number = OPCODE_AT + 4;
export const MESSAGE_ID_LENGTH_AT: number = OPCODE_AT + 5;
export const META_LENGTH_AT: number = OPCODE_AT + 6;
export const NUMBER_AT: number = OPCODE_AT + 8;
export const TIME_AT: number = OPCODE_AT + 16;
const NAMES_AT: number = OPCODE_AT + 24;

/** Bytes of a publication besides its names and payload. */
export const PUBLICATION_HEADER_BYTES: number = NAMES_AT;

export const KINDS = ['text', 'bytes', 'json'] as const satisfies readonly PayloadKind[];
export const KIND_MASK = 0x03;
export const EXCLUDE_SENDER_FLAG = 0x04;
export const EPHEMERAL_FLAG = 0x08;
export const KEYED_FLAG = 0x10;
const FLAGS_MASK: number = KIND_MASK | EXCLUDE_SENDER_FLAG | EPHEMERAL_FLAG | KEYED_FLAG;

/** Fields of a publication without meta, time and key that takes an offset. */
export const PUBLICATION_DEFAULTS = { meta: '', timeMs: 0, ephemeral: false, keyed: undefined } as const;

/** Bytes before the key of a keyed publication. */
export const KEY_HEADER_BYTES = 10;

type Optional = keyof typeof PUBLICATION_DEFAULTS;

/**
 * A publication whose payload may be a string. Half a surrogate pair becomes U+FFFD. Optional
 * fields are those of PUBLICATION_DEFAULTS.
 */
export type PublicationToEncode = Omit<Publication, 'payload' | Optional> &
  Partial<Pick<Publication, Optional>> & { readonly payload: string | Uint8Array };

export function encodePublish(publication: PublicationToEncode): Uint8Array {
  return encodePublication(OPCODES.publish, publication);
}

export function encodeDeliver(publication: PublicationToEncode): Uint8Array {
  return encodePublication(OPCODES.deliver, publication);
}

// Writes each text in place: to encode each by itself costs several times as much.
function encodePublication(opcode: number, publication: PublicationToEncode): Uint8Array {
  const { channel, sender, messageId, meta = '', payload, keyed } = publication;
  const channelBytes = lengthOf(channel, CHANNEL_NAME_BYTES_MAX);
  const senderBytes = lengthOf(sender, SHORT_TEXT_BYTES_MAX);
  const messageIdBytes = lengthOf(messageId, SHORT_TEXT_BYTES_MAX);
  const metaBytes = lengthOf(meta, META_BYTES_MAX);
  const keyBytes = keyed === undefined ? 0 : KEY_HEADER_BYTES + lengthOf(keyed.key, KEY_BYTES_MAX);
  const payloadBytes = typeof payload === 'string' ? utf8ByteLength(payload) : payload.length;
  if (payloadBytes < 0)
    return encodePublication(opcode, { ...publication, payload: encodeText(String(payload)) });
  const namesBytes = channelBytes + senderBytes + messageIdBytes + metaBytes + keyBytes;
  const frame = new Uint8Array(NAMES_AT + namesBytes + payloadBytes);
  writeFrameLength(frame);
  frame[OPCODE_AT] = opcode;
  frame[FLAGS_AT] = flagsOf(publication);
  writeU16(frame, CHANNEL_LENGTH_AT, channelBytes);
  frame[SENDER_LENGTH_AT] = senderBytes;
  frame[MESSAGE_ID_LENGTH_AT] = messageIdBytes;
  writeU16(frame, META_LENGTH_AT, metaBytes);
  writeNumber(frame, NUMBER_AT, publication.number);
  writeNumber(frame, TIME_AT, publication.timeMs ?? 0);
  const senderAt = writeText(frame, NAMES_AT, channel, channelBytes);
  const messageIdAt = writeText(frame, senderAt, sender, senderBytes);
  const metaAt = writeText(frame, messageIdAt, messageId, messageIdBytes);
  const keyAt = writeText(frame, metaAt, meta, metaBytes);
  const payloadAt = keyed === undefined ? keyAt : writeKey(frame, keyAt, keyed, keyBytes);
  if (typeof payload === 'string') writeText(frame, payloadAt, payload, payloadBytes);
  else frame.set(payload, payloadAt);
  return frame;
}

function flagsOf({ kind, excludeSender, ephemeral, keyed }: PublicationToEncode): number {
  return (
    KINDS.indexOf(kind) |
    (excludeSender ? EXCLUDE_SENDER_FLAG : 0) |
    (ephemeral === true ? EPHEMERAL_FLAG : 0) |
    (keyed === undefined ? 0 : KEYED_FLAG)
  );
}

/** Writes life and key. `bytes` is the length of both with that of the key. Returns the end. */
function writeKey(frame: Uint8Array, at: number, { key, lifeMs }: Keyed, bytes: number): number {
  const keyBytes = bytes - KEY_HEADER_BYTES;
  writeNumber(frame, at, lifeMs);
  writeU16(frame, at + KEY_HEADER_BYTES - 2, keyBytes);
  return writeText(frame, at + KEY_HEADER_BYTES, key, keyBytes);
}

function lengthOf(text: string, bytesMax: number): number {
  const bytes = utf8ByteLength(text);
  if (bytes >= 0 && bytes <= bytesMax) return bytes;
  throw new RangeError(`A text has ${bytes} bytes of UTF-8; the field has ${bytesMax} at most.`);
}

/** Turns the valid PUBLISH at `start` into the DELIVER with this offset and time, in place. */
export function turnIntoDeliver(bytes: Uint8Array, offset: number, timeMs: number, start = 0): void {
  bytes[start + OPCODE_AT] = OPCODES.deliver;
  writeNumber(bytes, start + NUMBER_AT, offset);
  writeNumber(bytes, start + TIME_AT, timeMs);
}

function writeU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes a safe integer as 8 bytes big-endian. */
export function writeNumber(bytes: Uint8Array, at: number, value: number): void {
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
  const isEphemeral = (flags & EPHEMERAL_FLAG) !== 0;
  const isKeyed = (flags & KEYED_FLAG) !== 0;
  if (kind === undefined || (flags & ~FLAGS_MASK) !== 0 || (isEphemeral && isKeyed)) {
    throw new ProtocolError('bad_frame', `Unknown publication flags ${flags}.`);
  }
  const channelLength = reader.u16();
  const senderLength = reader.u8();
  const messageIdLength = reader.u8();
  const metaLength = reader.u16();
  const number = reader.u64();
  const timeMs = reader.u64();
  const channel = textOf(reader.bytes(channelLength));
  if (!isChannelName(channel)) throw new ProtocolError('bad_channel');
  if (metaLength > META_BYTES_MAX) {
    throw new ProtocolError('bad_frame', `A meta of ${metaLength} bytes; ${META_BYTES_MAX} are allowed.`);
  }
  if (isEphemeral && messageIdLength > 0)
    throw new ProtocolError('bad_frame', 'An ephemeral publication has no message id.');
  return {
    channel,
    kind,
    excludeSender: (flags & EXCLUDE_SENDER_FLAG) !== 0,
    sender: senderLength === 0 ? '' : textOf(reader.bytes(senderLength)),
    messageId: messageIdLength === 0 ? '' : textOf(reader.bytes(messageIdLength)),
    meta: metaLength === 0 ? '' : textOf(reader.bytes(metaLength)),
    keyed: isKeyed ? readKey(reader) : undefined,
    payload: reader.rest(),
    number,
    timeMs,
    ephemeral: isEphemeral,
  };
}

function readKey(reader: ByteReader): Keyed {
  const lifeMs = reader.u64();
  const key = reader.text();
  if (!isKey(key)) throw new ProtocolError('bad_frame', `A key must have 1 to ${KEY_BYTES_MAX} bytes.`);
  return { key, lifeMs };
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
