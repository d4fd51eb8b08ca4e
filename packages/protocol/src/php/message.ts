import { writeFrameLength } from '../frame.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import type { PhpSpan } from './entries.ts';
import { PhpNames } from './names.ts';
import { PhpWriter } from './php-writer.ts';
import { PhpScanner } from './scanner.ts';

/** Types of requests about channels: subscriptions, and watches of queues. */
const CHANNEL_TYPES = ['subscribe', 'unsubscribe', 'watch', 'unwatch'] as const;
/** Types of requests with data for channels. */
const DATA_TYPES = ['publish', 'publishLoop', 'enqueue'] as const;

type ChannelType = (typeof CHANNEL_TYPES)[number];
type DataType = (typeof DATA_TYPES)[number];

/**
 * A request of PHP's `Channel\Client` to the hub. `data` is the span of the value, which is
 * forwarded as it is.
 */
export type PhpRequest =
  | { readonly type: ChannelType; readonly names: PhpNames }
  | { readonly type: DataType; readonly names: PhpNames; readonly data: PhpSpan }
  | { readonly type: 'reserve' };

/**
 * Beginning of a delivery: space for the frame's length, and the array up to the channel's name.
 */
const HEADS = {
  event: encodeText('\0\0\0\0a:3:{s:4:"type";s:5:"event";s:7:"channel";'),
  queue: encodeText('\0\0\0\0a:3:{s:4:"type";s:5:"queue";s:7:"channel";'),
} as const;
const BEFORE_DATA = encodeText('s:4:"data";');

/** UTF-8 of one UTF-16 unit. */
const UNIT_BYTES_MAX = 3;

/** Bytes around a string: more than `s:1234567890:"";`. */
const LENGTH_BYTES_MAX = 20;

/** The fields of a request so far. As in PHP, the last of two equal keys counts. */
interface Fields {
  type: string | undefined;
  names: PhpNames | undefined;
  data: PhpSpan | undefined;
}

/**
 * Reads the body of a frame: an array with `type`, `channels` and `data`, which is checked to its
 * end. Unknown fields are ignored, and names are read later. Throws ProtocolError `bad_frame`.
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

/** Returns the frame that delivers a publication to subscribers. `data` is a serialized value. */
export function eventFrame(channel: string, data: Uint8Array): Uint8Array {
  return deliveryFrame('event', channel, data);
}

/**
 * Returns the frame that delivers an item to a peer that watches the queue. `data` is a serialized
 * value.
 */
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

/** Returns '' for a name that is neither a field nor a type: those are short and ASCII. */
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

/**
 * Returns the frame of `serialize(['type' => ..., 'channel' => ..., 'data' => ...])`. Its length is
 * written last.
 */
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
