import { limits, type native, ProtocolError } from '@groupcast/protocol';
import type { HistoryPage } from './history-page.ts';

/** A page of history that is not complete yet: its header was received. */
export class ArrivingPage {
  readonly request: number;
  readonly #header: native.Page;
  readonly #publications: native.Publication[] = [];
  #bytes = 0;

  constructor(header: native.Page) {
    this.request = header.request;
    this.#header = header;
  }

  /** The page, once it is complete. */
  get whole(): HistoryPage<native.HistoryVerdict> | undefined {
    const { verdict, position, count, epochIs, more } = this.#header;
    const publications = this.#publications;
    if (publications.length < count) return undefined;
    const last = publications.at(-1)?.number ?? position.offset;
    const hasMore = verdict === 'snapshot' ? more : last < position.offset;
    return { verdict, position, epochIs, publications, more: hasMore };
  }

  /**
   * Adds the next message of the connection, of this length in bytes. Throws a ProtocolError for a
   * message that is not part of a page.
   */
  add(message: native.NativeMessage, bytes: number): void {
    if (message.type !== 'deliver') {
      throw new ProtocolError('bad_frame', `A hub must not send ${message.type} within a history page.`);
    }
    // The whole page is in memory, and its count is not trusted.
    if (this.#bytes >= limits.HISTORY_PAGE_BYTES_MAX) {
      throw new ProtocolError(
        'bad_length',
        `A history page is longer than ${limits.HISTORY_PAGE_BYTES_MAX} bytes.`,
      );
    }
    this.#bytes += bytes;
    this.#publications.push(message.publication);
  }
}
