import { CONCURRENCY_MAX } from '../limits.ts';
import { isQueueName, isWatchableQueueName } from '../name.ts';
import { ProtocolError } from '../protocol-error.ts';
import { encodeText } from '../text.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';
import { KINDS, type PayloadKind } from './publication.ts';

/** Peer to hub: an item for one of the peers that watch the queue. */
export interface Enqueue {
  readonly type: 'enqueue';
  readonly request: number;
  readonly queue: string;
  readonly kind: PayloadKind;
  /** Given by the publisher to identify repetitions, or ''. */
  readonly messageId: string;
  /** A slice of the frame, not a copy. */
  readonly payload: Uint8Array;
}

/** Hub to peer: the queue has the item. */
export interface Enqueued {
  readonly type: 'enqueued';
  readonly request: number;
}

/**
 * Peer to hub: asks for items of a queue, up to `concurrency` at a time. Only an error is answered.
 */
export interface Watch {
  readonly type: 'watch';
  readonly request: number;
  readonly queue: string;
  readonly concurrency: number;
}

/** Peer to hub, without an answer: asks for no further items. */
export interface Unwatch {
  readonly type: 'unwatch';
  readonly queue: string;
}

/** Hub to peer: an item to work on. */
export interface Item {
  readonly type: 'item';
  readonly queue: string;
  readonly item: number;
  /** Deliveries of the item so far, including this one. */
  readonly attempt: number;
  readonly kind: PayloadKind;
  /** Of the ENQUEUE, or ''. */
  readonly messageId: string;
  /** A slice of the frame, not a copy. */
  readonly payload: Uint8Array;
}

/** One delivery of an item. */
interface ItemAttempt {
  readonly queue: string;
  readonly item: number;
  readonly attempt: number;
}

interface Done extends ItemAttempt {
  readonly type: 'done';
}

interface Failed extends ItemAttempt {
  readonly type: 'failed';
}

/** Peer to hub, without an answer: the outcome of an item that was delivered to it. */
export type ItemResult = Done | Failed;

/** Bytes of an ENQUEUE or an ITEM besides its queue name, message id and payload. */
export const ITEM_HEADER_BYTES = 19;

/** An item whose payload may be a string. The message id defaults to ''. */
type ToEncode<Message extends Enqueue | Item> = Omit<Message, 'type' | 'payload' | 'messageId'> & {
  readonly payload: string | Uint8Array;
  readonly messageId?: string | undefined;
};

export function encodeEnqueue({ request, ...work }: ToEncode<Enqueue>): Uint8Array {
  return encodeWork(OPCODES.enqueue, request, 0, work);
}

export function encodeItem({ item, attempt, ...work }: ToEncode<Item>): Uint8Array {
  return encodeWork(OPCODES.item, item, attempt, work);
}

function encodeWork(
  opcode: number,
  number: number,
  attempt: number,
  { queue, kind, messageId = '', payload }: Omit<ToEncode<Enqueue>, 'request'>,
): Uint8Array {
  return new ByteWriter(opcode)
    .u8(KINDS.indexOf(kind))
    .u16(attempt)
    .u64(number)
    .text(queue)
    .shortText(messageId)
    .bytes(typeof payload === 'string' ? encodeText(payload) : payload)
    .frame();
}

export function decodeEnqueue(reader: ByteReader): Enqueue {
  const kind = readKind(reader);
  if (reader.u16() !== 0) throw new ProtocolError('bad_frame', 'An ENQUEUE has no attempt: it must be 0.');
  const request = readRequest(reader, 'ENQUEUE');
  const queue = reader.text();
  if (!isQueueName(queue)) throw new ProtocolError('bad_queue');
  const messageId = reader.shortText();
  return { type: 'enqueue', request, queue, kind, messageId, payload: reader.rest() };
}

export function decodeItem(reader: ByteReader): Item {
  const kind = readKind(reader);
  const attempt = readAttempt(reader);
  const item = reader.u64();
  const queue = readQueue(reader);
  const messageId = reader.shortText();
  return { type: 'item', queue, item, attempt, kind, messageId, payload: reader.rest() };
}

export function encodeEnqueued({ request }: Omit<Enqueued, 'type'>): Uint8Array {
  return new ByteWriter(OPCODES.enqueued).u64(request).frame();
}

export function decodeEnqueued(reader: ByteReader): Enqueued {
  return { type: 'enqueued', request: reader.u64() };
}

export function encodeWatch({ request, queue, concurrency }: Omit<Watch, 'type'>): Uint8Array {
  return new ByteWriter(OPCODES.watch).u64(request).u16(concurrency).text(queue).frame();
}

export function decodeWatch(reader: ByteReader): Watch {
  const request = readRequest(reader, 'WATCH');
  const concurrency = reader.u16();
  if (concurrency === 0 || concurrency > CONCURRENCY_MAX) {
    throw new ProtocolError(
      'bad_frame',
      `A concurrency of ${concurrency} is invalid; 1 to ${CONCURRENCY_MAX} are allowed.`,
    );
  }
  return { type: 'watch', request, queue: readQueue(reader), concurrency };
}

export function encodeUnwatch(queue: string): Uint8Array {
  return new ByteWriter(OPCODES.unwatch).text(queue).frame();
}

export function decodeUnwatch(reader: ByteReader): Unwatch {
  return { type: 'unwatch', queue: readQueue(reader) };
}

export function encodeItemResult({ type, queue, item, attempt }: ItemResult): Uint8Array {
  return new ByteWriter(OPCODES[type]).u16(attempt).u64(item).text(queue).frame();
}

export function decodeItemResult(type: ItemResult['type'], reader: ByteReader): ItemResult {
  const attempt = readAttempt(reader);
  const item = reader.u64();
  return { type, queue: readQueue(reader), item, attempt };
}

function readKind(reader: ByteReader): PayloadKind {
  const code = reader.u8();
  const kind = KINDS[code];
  if (kind === undefined) throw new ProtocolError('bad_frame', `Unknown kind ${code} of a payload.`);
  return kind;
}

function readRequest(reader: ByteReader, name: string): number {
  const request = reader.u64();
  // An ERROR with request 0 announces the end of the link, so request 0 could not be rejected.
  if (request === 0) throw new ProtocolError('bad_frame', `The request number of ${name} must be above 0.`);
  return request;
}

function readAttempt(reader: ByteReader): number {
  const attempt = reader.u16();
  if (attempt === 0) throw new ProtocolError('bad_frame', 'Attempts are counted from 1.');
  return attempt;
}

function readQueue(reader: ByteReader): string {
  const queue = reader.text();
  if (!isWatchableQueueName(queue)) throw new ProtocolError('bad_queue');
  return queue;
}
