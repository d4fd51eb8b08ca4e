import { writeFrameLength } from '../frame.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import type { PhpSpan } from './entries.ts';
import { PhpNames } from './names.ts';
import { PhpWriter } from './php-writer.ts';
import { PhpScanner } from './scanner.ts';

/** Requests about channels: who follows one, and who works for a queue. */
const CHANNEL_TYPES = ['subscribe', 'unsubscribe', 'watch', 'unwatch'] as const;
/** Requests that bring data for channels. */
const DATA_TYPES = ['publish', 'publishLoop', 'enqueue'] as const;

type ChannelType = (typeof CHANNEL_TYPES)[number];
type DataType = (typeof DATA_TYPES)[number];

/** What PHP's `Channel\Client` asks of the hub. `data` says where the value lies in what was read, to be sent on as it is. */
export type PhpRequest =
  | { readonly type: ChannelType; readonly names: PhpNames }
  | { readonly type: DataType; readonly names: PhpNames; readonly data: PhpSpan }
  | { readonly type: 'reserve' };

/** What a delivery begins with: room for the frame's length, and the array up to the channel's name. */
const HEADS = {
  event: encodeText('\0\0\0\0a:3:{s:4:"type";s:5:"event";s:7:"channel";'),
  queue: encodeText('\0\0\0\0a:3:{s:4:"type";s:5:"queue";s:7:"channel";'),
} as const;
const BEFORE_DATA = encodeText('s:4:"data";');

/** UTF-8 of one UTF-16 unit. */
const UNIT_BYTES_MAX = 3;

/** What stands around a string: more than `s:1234567890:"";`. */
const LENGTH_BYTES_MAX = 20;

/** The fields of a request as they were found; as in PHP, one that comes twice counts as it came last. */
interface Fields {
  type: string | undefined;
  names: PhpNames | undefined;
  data: PhpSpan | undefined;
}

/**
 * Reads the body of a frame: an array with `type`, `channels` and `data`, which is checked to its end. Fields that are not known are
 * left alone, and names are read later. Throws ProtocolError `bad_frame`.
 */
export function readRequest(bytes: Uint8Array, start = 0, end: number = bytes.length): PhpRequest {
  const scanner = new PhpScanner(bytes, start, end);
  if (scanner.next() !== 'array') throw badRequest('it must be an array');
  const fields: Fields = { type: undefined, names: undefined, data: undefined };
  for (let token = scanner.next(); token !== 'end'; token = scanner.next()) {
    const field = token === 'string' ? shortText(scanner.string()) : '';
    if (field === 'channels') fields.names = readNames(scanner, bytes);
    else readField(scanner, field, fields);
  }
  scanner.next();
  return requestOf(fields);
}

/** The frame that hands a publication to those who follow the channel. `data` is a serialized value. */
export function eventFrame(channel: string, data: Uint8Array): Uint8Array {
  return deliveryFrame('event', channel, data);
}

/** The frame that hands what was enqueued to one of those who watch the channel. `data` is a serialized value. */
export function queueFrame(channel: string, data: Uint8Array): Uint8Array {
  return deliveryFrame('queue', channel, data);
}

function readField(scanner: PhpScanner, name: string, fields: Fields): void {
  const token = scanner.next();
  const start = scanner.tokenStart;
  if (name === 'type') {
    if (token !== 'string') throw badRequest('`type` must be a string');
    fields.type = shortText(scanner.string());
  }
  scanner.skip(token);
  if (name === 'data') fields.data = { start, end: scanner.tokenEnd };
}

function readNames(scanner: PhpScanner, bytes: Uint8Array): PhpNames {
  const token = scanner.nextUncounted();
  if (token !== 'array') throw badRequest('`channels` must be an array');
  return new PhpNames(scanner, bytes);
}

function requestOf({ type, names, data }: Fields): PhpRequest {
  if (type === 'reserve') return { type };
  const dataType = DATA_TYPES.find((known) => known === type);
  const channelType = CHANNEL_TYPES.find((known) => known === type);
  if (dataType === undefined && channelType === undefined) throw badRequest('`type` is unknown');
  if (names === undefined) throw badRequest('`channels` is missing');
  if (channelType !== undefined) return { type: channelType, names };
  if (dataType === undefined || data === undefined) throw badRequest('`data` is missing');
  return { type: dataType, names, data };
}

/** Names of fields and types are short and ASCII; whatever else comes is none of them. */
const WORD_BYTES_MAX = 16;

function shortText(bytes: Uint8Array): string {
  if (bytes.length > WORD_BYTES_MAX) return '';
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function badRequest(problem: string): ProtocolError {
  return new ProtocolError('bad_frame', `Invalid PHP request: ${problem}.`);
}

/** What `serialize(['type' => ..., 'channel' => ..., 'data' => ...])` gives, in a frame; the length comes last. */
function deliveryFrame(type: keyof typeof HEADS, channel: string, data: Uint8Array): Uint8Array {
  const head = HEADS[type];
  const frame = new PhpWriter(
    head.length + LENGTH_BYTES_MAX + UNIT_BYTES_MAX * channel.length + BEFORE_DATA.length + data.length + 1,
  )
    .raw(head)
    .text(channel)
    .raw(BEFORE_DATA)
    .raw(data)
    .ascii('}')
    .bytes();
  writeFrameLength(frame);
  return frame;
}
