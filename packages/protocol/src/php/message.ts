import { writeFrameLength } from '../frame.ts';
import { CHANNEL_NAME_BYTES_MAX, CHANNELS_PER_FRAME_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import { ProtocolError } from '../protocol-error.ts';
import { decodeText, encodeText } from '../text.ts';
import type { PhpSpan } from './entries.ts';
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
  | { readonly type: ChannelType; readonly channels: readonly string[] }
  | { readonly type: DataType; readonly channels: readonly string[]; readonly data: PhpSpan }
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
  channels: string[] | undefined;
  data: PhpSpan | undefined;
}

/**
 * Reads the body of a frame: an array with `type`, `channels` and `data`, which is checked to its end. Fields that are not known are
 * left alone. Throws ProtocolError `bad_frame`, or `bad_channel` for a name that no channel has.
 */
export function readRequest(bytes: Uint8Array, start = 0, end: number = bytes.length): PhpRequest {
  const scanner = new PhpScanner(bytes, start, end);
  if (scanner.next() !== 'array') throw badRequest('A request is an array');
  const fields: Fields = { type: undefined, channels: undefined, data: undefined };
  for (let token = scanner.next(); token !== 'end'; token = scanner.next()) {
    readField(scanner, token === 'string' ? shortText(scanner.string()) : '', fields);
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
  if (name === 'channels') {
    if (token !== 'array') throw badRequest('`channels` is an array');
    fields.channels = readChannels(scanner);
    return;
  }
  if (name === 'type') {
    if (token !== 'string') throw badRequest('`type` is a string');
    fields.type = shortText(scanner.string());
  }
  scanner.skip(token);
  if (name === 'data') fields.data = { start, end: scanner.tokenEnd };
}

/** The keys do not matter: PHP's `(array)` leaves whatever the program's array had. */
function readChannels(scanner: PhpScanner): string[] {
  if (scanner.count > CHANNELS_PER_FRAME_MAX) {
    throw badRequest(`A request names up to ${CHANNELS_PER_FRAME_MAX} channels`);
  }
  const channels: string[] = [];
  while (scanner.next() !== 'end') {
    const token = scanner.next();
    // PHP makes integers of array keys, so that a channel "123" comes back as 123 after a reconnect.
    if (token === 'integer') channels.push(String(scanner.integer()));
    else if (token === 'string') channels.push(channelOf(scanner.string()));
    else throw badRequest('A channel is a string or an integer');
  }
  return channels;
}

/** Names of queues are checked here as names of channels; what more they must be is up to whoever keeps queues. */
function channelOf(bytes: Uint8Array): string {
  if (bytes.length > CHANNEL_NAME_BYTES_MAX) throw new ProtocolError('bad_channel');
  let channel: string;
  try {
    channel = decodeText(bytes);
  } catch (cause) {
    throw new ProtocolError('bad_channel', undefined, { cause });
  }
  if (!isChannelName(channel)) throw new ProtocolError('bad_channel');
  return channel;
}

function requestOf({ type, channels, data }: Fields): PhpRequest {
  if (type === 'reserve') return { type };
  const dataType = DATA_TYPES.find((known) => known === type);
  const channelType = CHANNEL_TYPES.find((known) => known === type);
  if (dataType === undefined && channelType === undefined)
    throw badRequest('`type` is one of the known ones');
  if (channels === undefined) throw badRequest('A request names its channels');
  if (channelType !== undefined) return { type: channelType, channels };
  if (dataType === undefined || data === undefined) throw badRequest('A publication has data');
  return { type: dataType, channels, data };
}

/** Names of fields and types are short and ASCII; whatever else comes is none of them. */
const WORD_BYTES_MAX = 16;

function shortText(bytes: Uint8Array): string {
  if (bytes.length > WORD_BYTES_MAX) return '';
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function badRequest(rule: string): ProtocolError {
  return new ProtocolError('bad_frame', `${rule}, and in this PHP request it is not so.`);
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
