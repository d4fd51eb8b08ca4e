import { type native, type Position, ProtocolError } from '@groupcast/protocol';

/** What came in a channel after a position, or a part of it. */
export interface HistoryPage {
  readonly verdict: native.HistoryVerdict;
  /**
   * Where the channel stands. When the last of the publications is not there, more can be read from
   * it on.
   */
  readonly position: Position;
  /** In order, from the first after the position that was asked for; none unless `recovered`. */
  readonly publications: readonly native.Publication[];
}

/** Who waits for a page. Exactly one of the two is called, once. */
export interface HistoryAnswer {
  page(page: HistoryPage): void;
  failed(error: ProtocolError): void;
}

/** A read of history that was asked for. */
export interface HistoryRead {
  /**
   * Nobody waits for it any more: neither a page nor an error comes. Where it was not sent to the
   * hub yet, it never is.
   */
  cancel(): void;
}

/** Throws a ProtocolError `bad_frame` when a page cannot be the answer to this question. */
export function checkPage(page: HistoryPage, channel: string, since: Position): void {
  if (page.verdict !== 'recovered') return;
  const { publications, position } = page;
  let offset = since.offset;
  for (const publication of publications) {
    offset += 1;
    if (publication.channel !== channel || publication.number !== offset) {
      throw new ProtocolError('bad_frame', 'The publications of a page are not those that follow.');
    }
  }
  // Without the last rule one would ask for ever.
  const isEmpty = publications.length === 0;
  if (position.epoch !== since.epoch || offset > position.offset || (isEmpty && offset < position.offset)) {
    throw new ProtocolError('bad_frame', 'The position of a page does not fit its publications.');
  }
}
