import { isChannelName } from '../name.ts';
import type { Position } from '../position.ts';
import { ProtocolError } from '../protocol-error.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { OPCODES } from './opcode.ts';

/** Peer to hub: reads a channel's publications after a position. It need not be subscribed to. */
export interface History {
  readonly type: 'history';
  readonly request: number;
  readonly channel: string;
  readonly since: Position;
}

/**
 * Whether history has all publications after a position: all (`recovered`), the position is of
 * another history (`epoch_changed`), or some were removed (`trimmed`).
 */
export type HistoryVerdict = 'recovered' | 'epoch_changed' | 'trimmed';

/**
 * Hub to peer: the answer to a HISTORY. The next `count` frames of the link are DELIVERs, and they
 * are the page: the publications after the requested position, in order, from the first. When the
 * last of them is not at `position`, there are more, and the peer asks again. A page that is not
 * `recovered` has no publications.
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
