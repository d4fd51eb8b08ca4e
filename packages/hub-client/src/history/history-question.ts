import { isChannelName, native, type Position, ProtocolError } from '@groupcast/protocol';
import { isShortText } from '../publishing/publish-frame.ts';
import type { HistoryFrom, HistoryPage } from './history-page.ts';

/** The fields of a HISTORY, without its number. */
export type HistoryQuestion = Omit<native.HistoryToEncode, 'request'>;

const LAST_MAX = 0xffff_ffff;

/** A position that asks for nothing, beside `last`. */
const NOWHERE: Position = { epoch: '', offset: 0 };

/** Returns a question, or the error of invalid arguments: callers may not be typed. */
export function historyQuestion(channel: string, from: HistoryFrom): HistoryQuestion | ProtocolError {
  if (!isChannelName(channel)) return new ProtocolError('bad_channel');
  if (isLast(from)) {
    const { last } = from;
    if (Number.isInteger(last) && last >= 1 && last <= LAST_MAX) return { channel, since: NOWHERE, last };
    return new ProtocolError('bad_field', `last is ${last}; it must be an integer from 1 to ${LAST_MAX}.`);
  }
  if (isShortText(from?.epoch) && Number.isSafeInteger(from.offset) && from.offset >= 0)
    return { channel, since: { epoch: from.epoch, offset: from.offset } };
  return new ProtocolError('bad_field', 'since must have an epoch and an offset that is an integer from 0.');
}

function isLast(from: HistoryFrom): from is { readonly last: number } {
  return typeof from === 'object' && from !== null && 'last' in from;
}

/**
 * Returns one key per question: numbers have digits only, a name has no control characters, and the
 * length of the epoch ends it.
 */
export function keyOfQuestion(question: HistoryQuestion): string {
  const { channel, since, last = 0, snapshot = false, afterKey = '' } = question;
  return `${since.offset} ${last} ${snapshot} ${since.epoch.length} ${channel}\0${since.epoch}${afterKey}`;
}

/** Throws a ProtocolError `bad_frame` for a page that cannot be the answer to this question. */
export function checkPage(page: HistoryPage<native.HistoryVerdict>, question: HistoryQuestion): void {
  if (page.verdict === 'snapshot') checkSnapshot(page, question);
  else if (page.verdict === 'recovered') checkPublications(page, question);
}

function checkSnapshot(page: HistoryPage<native.HistoryVerdict>, question: HistoryQuestion): void {
  if (question.snapshot !== true) reject('A history page is a snapshot, which was not requested.');
  for (const { channel, keyed } of page.publications) {
    if (channel !== question.channel || keyed === undefined)
      reject(`A snapshot of ${question.channel} has a publication of ${channel}, or one without a key.`);
  }
  // It would be continued forever.
  const lastKey = page.publications.at(-1)?.keyed?.key;
  if (page.more && (lastKey === undefined || lastKey === question.afterKey))
    reject(`A snapshot of ${question.channel} has more keys, and none after ${question.afterKey ?? ''}.`);
}

function checkPublications(page: HistoryPage<native.HistoryVerdict>, question: HistoryQuestion): void {
  const { channel, since, last = 0 } = question;
  const { publications, position, epochIs } = page;
  const [first] = publications;
  let offset = last > 0 ? (first?.number ?? position.offset + 1) - 1 : since.offset;
  for (const publication of publications) {
    offset += 1;
    if (publication.channel !== channel || publication.number !== offset)
      reject(
        `A history page is not contiguous: expected offset ${offset} of ${channel}, got ${publication.number} of ${publication.channel}.`,
      );
    if (publication.ephemeral) reject(`A history page has an ephemeral publication of ${channel}.`);
  }
  if (last > 0 && publications.length > last)
    reject(`A history page has ${publications.length} publications; ${last} were requested.`);
  if (last === 0 && epochIs !== 'renamed' && native.compareEpochs(position.epoch, since.epoch) !== 'same')
    reject(`A recovered history page is of epoch ${position.epoch}; ${since.epoch} was requested.`);
  // An empty page before the position of the channel would be requested forever.
  if (offset > position.offset || (first === undefined && offset < position.offset))
    reject(`A history page has position ${position.offset}, which does not fit offset ${offset}.`);
}

function reject(sentence: string): never {
  throw new ProtocolError('bad_frame', sentence);
}
