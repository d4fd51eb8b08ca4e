import { isChannelName } from '../name.ts';
import type { Position } from '../position.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { type EpochComparison, readEpochComparison, writeEpochComparison } from './epoch-comparison.ts';
import { OPCODES } from './opcode.ts';

/** Peer to hub: reads a channel's publications after a position. It need not be subscribed to. */
export interface History {
  readonly type: 'history';
  readonly request: number;
  readonly channel: string;
  readonly since: Position;
  /** Maximum number of the newest publications to read in place of those after `since`; 0: none. */
  readonly last: number;
  /** Reads a snapshot of the keyed values where `since` has no history. */
  readonly snapshot: boolean;
  /** Continues a snapshot after this key. Default: it begins. */
  readonly afterKey: string;
}

/**
 * Whether history has all publications after a position: all (`recovered`), the position is of
 * another history (`epoch_changed`), or some were removed (`trimmed`). In place of the last two, a
 * reader that asked for it gets the values of all keys (`snapshot`).
 */
export type HistoryVerdict = 'recovered' | 'epoch_changed' | 'trimmed' | 'snapshot';

/**
 * Hub to peer: the answer to a HISTORY. The next `count` frames of the link are DELIVERs, and they
 * are the page: the publications after the requested position, in order, from the first, or in a
 * snapshot the newest publication of each key, in the order of the keys. With `more` the peer asks
 * again. A page that is neither `recovered` nor `snapshot` has no publications.
 */
export interface Page {
  readonly type: 'page';
  readonly request: number;
  readonly verdict: HistoryVerdict;
  /**
   * Position of the channel. On a link that is subscribed to the channel, all publications up to it
   * were delivered before, and no later ones.
   */
  readonly position: Position;
  readonly count: number;
  /** The epoch of `position`, compared with that of the HISTORY. */
  readonly epochIs: EpochComparison;
  /** Whether more publications or keys follow behind this page. */
  readonly more: boolean;
}

const VERDICTS = [
  'recovered',
  'epoch_changed',
  'trimmed',
  'snapshot',
] as const satisfies readonly HistoryVerdict[];

const SNAPSHOT_FLAG = 0x01;
const MORE_FLAG = 0x01;

/** A HISTORY to encode: without the optional fields it asks for the publications after `since`. */
export type HistoryToEncode = Pick<History, 'request' | 'channel' | 'since'> &
  Partial<Pick<History, 'last' | 'snapshot' | 'afterKey'>>;

export function encodeHistory(history: HistoryToEncode): Uint8Array {
  const { request, channel, since, last = 0, snapshot = false, afterKey = '' } = history;
  return new ByteWriter(OPCODES.history)
    .u64(request)
    .u64(since.offset)
    .shortText(since.epoch)
    .text(channel)
    .u8(snapshot ? SNAPSHOT_FLAG : 0)
    .u32(last)
    .text(afterKey)
    .frame();
}

export function decodeHistory(reader: ByteReader): History {
  const request = reader.u64();
  if (request === 0) throw new ProtocolError('bad_frame', 'The request number of a HISTORY must be above 0.');
  const offset = reader.u64();
  const since = { offset, epoch: reader.shortText() };
  const channel = reader.text();
  if (!isChannelName(channel)) throw new ProtocolError('bad_channel');
  const plain = { type: 'history' as const, request, channel, since };
  if (reader.isAtEnd) return { ...plain, last: 0, snapshot: false, afterKey: '' };
  const flags = reader.u8();
  if ((flags & ~SNAPSHOT_FLAG) !== 0) throw new ProtocolError('bad_frame', `Unknown HISTORY flags ${flags}.`);
  return { ...plain, snapshot: flags === SNAPSHOT_FLAG, last: reader.u32(), afterKey: reader.text() };
}

/** A PAGE to encode. Default: the epoch is the same, and nothing follows. */
export type PageToEncode = Omit<Page, 'type' | 'epochIs' | 'more'> & Partial<Pick<Page, 'epochIs' | 'more'>>;

export function encodePage(page: PageToEncode): Uint8Array {
  const writer = new ByteWriter(OPCODES.page)
    .u64(page.request)
    .u8(VERDICTS.indexOf(page.verdict))
    .u64(page.position.offset)
    .shortText(page.position.epoch)
    .u32(page.count);
  return writeEpochComparison(writer, page.epochIs ?? 'same')
    .u8(page.more === true ? MORE_FLAG : 0)
    .frame();
}

export function decodePage(reader: ByteReader): Page {
  const request = reader.u64();
  const code = reader.u8();
  const verdict = VERDICTS[code];
  if (verdict === undefined) throw new ProtocolError('bad_frame', `Unknown verdict ${code} of a PAGE.`);
  const offset = reader.u64();
  const position = { offset, epoch: reader.shortText() };
  const count = reader.u32();
  if (count > 0 && (verdict === 'epoch_changed' || verdict === 'trimmed')) {
    throw new ProtocolError('bad_frame', `A page that is ${verdict} has publications.`);
  }
  const epochIs = readEpochComparison(reader);
  const flags = reader.u8();
  if ((flags & ~MORE_FLAG) !== 0) throw new ProtocolError('bad_frame', `Unknown PAGE flags ${flags}.`);
  return { type: 'page', request, verdict, position, count, epochIs, more: flags === MORE_FLAG };
}
