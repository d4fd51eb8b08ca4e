import { CHANNELS_PER_FRAME_MAX } from '../limits.ts';
import { isChannelName } from '../name.ts';
import type { Position } from '../position.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { type EpochComparison, readEpochComparison, writeEpochComparison } from './epoch-comparison.ts';
import { OPCODES } from './opcode.ts';

/** Subject of a subscription: a channel, or with `prefix` all channels whose names begin so. */
export interface Subject {
  readonly name: string;
  readonly prefix: boolean;
  /** Epoch of the position that the peer has in the channel. Default: it has none. */
  readonly epoch?: string | undefined;
}

export interface SubscribedEntry {
  readonly name: string;
  readonly prefix: boolean;
  /**
   * Position of the channel: publications after it are delivered. A prefix has none, and its epoch
   * is '' and its offset 0.
   */
  readonly position: Position;
  /** The epoch of `position`, compared with that of the SUBSCRIBE. */
  readonly epochIs: EpochComparison;
}

/** Peer to hub: subscribes to subjects. */
export interface Subscribe {
  readonly type: 'subscribe';
  readonly request: number;
  readonly subjects: readonly Subject[];
}

/** Hub to peer, once for each subject of a SUBSCRIBE. One SUBSCRIBE may be answered by several. */
export interface Subscribed {
  readonly type: 'subscribed';
  readonly request: number;
  readonly entries: readonly SubscribedEntry[];
}

/** Peer to hub, without an answer. Publications in transit still arrive. */
export interface Unsubscribe {
  readonly type: 'unsubscribe';
  readonly subjects: readonly Subject[];
}

const PREFIX_FLAG = 0x01;
const EPOCH_FLAG = 0x02;

export function encodeSubscribe(subscribe: Omit<Subscribe, 'type'>): Uint8Array {
  const writer = new ByteWriter(OPCODES.subscribe).u64(subscribe.request);
  return writeSubjects(writer, subscribe.subjects).frame();
}

export function decodeSubscribe(reader: ByteReader): Subscribe {
  const request = reader.u64();
  // An ERROR with request 0 announces the end of the link, so request 0 could not be rejected.
  if (request === 0)
    throw new ProtocolError('bad_frame', 'The request number of a SUBSCRIBE must be above 0.');
  return { type: 'subscribe', request, subjects: readSubjects(reader) };
}

export function encodeUnsubscribe(subjects: readonly Subject[]): Uint8Array {
  return writeSubjects(new ByteWriter(OPCODES.unsubscribe), subjects).frame();
}

export function decodeUnsubscribe(reader: ByteReader): Unsubscribe {
  return { type: 'unsubscribe', subjects: readSubjects(reader) };
}

/** A SUBSCRIBED to encode. Default: the epochs are the same. */
export interface SubscribedToEncode {
  readonly request: number;
  readonly entries: readonly (Omit<SubscribedEntry, 'epochIs'> & Partial<SubscribedEntry>)[];
}

export function encodeSubscribed(subscribed: SubscribedToEncode): Uint8Array {
  const writer = new ByteWriter(OPCODES.subscribed).u64(subscribed.request);
  writeCount(writer, subscribed.entries.length);
  for (const entry of subscribed.entries) {
    const { name, prefix, position, epochIs = 'same' } = entry;
    writeSubject(writer, { name, prefix }).u64(position.offset).shortText(position.epoch);
    writeEpochComparison(writer, epochIs);
  }
  return writer.frame();
}

export function decodeSubscribed(reader: ByteReader): Subscribed {
  const request = reader.u64();
  const entries: SubscribedEntry[] = [];
  for (let left = readCount(reader); left > 0; left--) {
    const { name, prefix } = readSubject(reader, PREFIX_FLAG);
    const offset = reader.u64();
    const position = { offset, epoch: reader.shortText() };
    entries.push({ name, prefix, position, epochIs: readEpochComparison(reader) });
  }
  return { type: 'subscribed', request, entries };
}

function writeSubjects(writer: ByteWriter, subjects: readonly Subject[]): ByteWriter {
  writeCount(writer, subjects.length);
  for (const subject of subjects) writeSubject(writer, subject);
  return writer;
}

function writeCount(writer: ByteWriter, count: number): void {
  if (count === 0 || count > CHANNELS_PER_FRAME_MAX) {
    throw new RangeError(`${count} channels do not fit a frame; 1 to ${CHANNELS_PER_FRAME_MAX} do.`);
  }
  writer.u16(count);
}

function writeSubject(writer: ByteWriter, { name, prefix, epoch }: Subject): ByteWriter {
  const flags = (prefix ? PREFIX_FLAG : 0) | (epoch === undefined ? 0 : EPOCH_FLAG);
  writer.u8(flags).text(name);
  return epoch === undefined ? writer : writer.shortText(epoch);
}

function readSubjects(reader: ByteReader): Subject[] {
  const subjects: Subject[] = [];
  for (let left = readCount(reader); left > 0; left--)
    subjects.push(readSubject(reader, PREFIX_FLAG | EPOCH_FLAG));
  return subjects;
}

function readCount(reader: ByteReader): number {
  const count = reader.u16();
  if (count === 0 || count > CHANNELS_PER_FRAME_MAX) {
    throw new ProtocolError(
      'bad_frame',
      `${count} channels in a frame; 1 to ${CHANNELS_PER_FRAME_MAX} are allowed.`,
    );
  }
  return count;
}

function readSubject(reader: ByteReader, flagsMask: number): Subject {
  const flags = reader.u8();
  if ((flags & ~flagsMask) !== 0)
    throw new ProtocolError('bad_frame', `Unknown subscription flags ${flags}.`);
  const name = reader.text();
  if (!isChannelName(name)) throw new ProtocolError('bad_channel');
  const prefix = (flags & PREFIX_FLAG) !== 0;
  return (flags & EPOCH_FLAG) === 0 ? { name, prefix } : { name, prefix, epoch: reader.shortText() };
}
