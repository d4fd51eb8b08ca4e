import { isChannelName } from '../name.ts';
import type { Position } from '../position.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';

/** Peer to hub: what came in a channel after a position? The channel need not be followed. */
export interface History {
  readonly type: 'history';
  readonly request: number;
  readonly channel: string;
  readonly since: Position;
}

/**
 * Whether all that came after a position is still there: it is (`recovered`), the position is of another history
 * (`epoch_changed`), or some of it is gone (`trimmed`).
 */
export type HistoryVerdict = 'recovered' | 'epoch_changed' | 'trimmed';

/**
 * Hub to peer: the answer to a HISTORY. The next `count` frames of the link are DELIVERs, and they are the page: what came after
 * the position that was asked for, in order, from its first publication on. When the last of them is not at `position`, there
 * is more, and the peer asks again. A page that is not `recovered` has no publications.
 */
export interface Page {
  readonly type: 'page';
  readonly request: number;
  readonly verdict: HistoryVerdict;
  /** Where the channel stands. On a link that follows the channel all up to here was delivered before, and nothing behind it. */
  readonly position: Position;
  readonly count: number;
}

const VERDICTS = ['recovered', 'epoch_changed', 'trimmed'] as const satisfies readonly HistoryVerdict[];

export function encodeHistory(history: Omit<History, 'type'>): Uint8Array {
  const { request, channel, since } = history;
  return new ByteWriter(OPCODES.history)
    .u64(request)
    .u64(since.offset)
    .shortText(since.epoch)
    .text(channel)
    .frame();
}

export function decodeHistory(reader: ByteReader): History {
  const request = reader.u64();
  if (request === 0) throw new ProtocolError('bad_frame', 'The request number of a HISTORY must be above 0.');
  const offset = reader.u64();
  const since = { offset, epoch: reader.shortText() };
  const channel = reader.text();
  if (!isChannelName(channel)) throw new ProtocolError('bad_channel');
  return { type: 'history', request, channel, since };
}

export function encodePage(page: Omit<Page, 'type'>): Uint8Array {
  return new ByteWriter(OPCODES.page)
    .u64(page.request)
    .u8(VERDICTS.indexOf(page.verdict))
    .u64(page.position.offset)
    .shortText(page.position.epoch)
    .u32(page.count)
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
  if (count > 0 && verdict !== 'recovered') {
    throw new ProtocolError('bad_frame', 'A page that is not recovered has publications.');
  }
  return { type: 'page', request, verdict, position, count };
}
