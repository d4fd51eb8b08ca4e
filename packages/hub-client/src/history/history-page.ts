import { type native, type Position, ProtocolError } from '@groupcast/protocol';

/** Publications of a channel after a position, or the first part of them. */
export interface HistoryPage {
  readonly verdict: Exclude<native.HistoryVerdict, 'snapshot'>;
  /** Position of the channel. When the last publication is before it, read on from there. */
  readonly position: Position;
  /**
   * Publications in order, from the first after the requested position. Empty unless `recovered`.
   */
  readonly publications: readonly native.Publication[];
}

/** Callbacks for a page. Exactly one of the two is called, once. */
export interface HistoryAnswer {
  page(page: HistoryPage): void;
  failed(error: ProtocolError): void;
}

/** Handle of a history read. */
export interface HistoryRead {
  /** Cancels the read: no callback is called. A request that was not sent yet never is. */
  cancel(): void;
}

/** Throws a ProtocolError `bad_frame` for a page that cannot be the answer to this question. */
export function checkPage(page: HistoryPage, channel: string, since: Position): void {
  if (page.verdict !== 'recovered') return;
  const { publications, position } = page;
  let offset = since.offset;
  for (const publication of publications) {
    offset += 1;
    if (publication.channel !== channel || publication.number !== offset) {
      throw new ProtocolError(
        'bad_frame',
        `A history page is not contiguous: expected offset ${offset} of ${channel}, got ${publication.number} of ${publication.channel}.`,
      );
    }
  }
  // An empty page before the position of the channel would be requested forever.
  const isEmpty = publications.length === 0;
  if (position.epoch !== since.epoch || offset > position.offset || (isEmpty && offset < position.offset)) {
    throw new ProtocolError(
      'bad_frame',
      `A history page has position ${position.offset}, which does not fit offset ${offset}.`,
    );
  }
}
