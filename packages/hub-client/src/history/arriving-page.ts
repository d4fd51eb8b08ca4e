import { limits, type native, ProtocolError } from '@groupcast/protocol';
import type { HistoryPage } from './history-page.ts';

/** A page of history whose header has come, and of whose publications some are still to come. */
export class ArrivingPage {
  readonly request: number;
  readonly #header: native.Page;
  readonly #publications: native.Publication[] = [];
  #bytes = 0;

  constructor(header: native.Page) {
    this.request = header.request;
    this.#header = header;
  }

  /** The page, once all of it is there. */
  get whole(): HistoryPage | undefined {
    const { verdict, position, count } = this.#header;
    if (this.#publications.length < count) return undefined;
    return { verdict, position, publications: this.#publications };
  }

  /**
   * Takes the next message of the link, which came as so many bytes. Throws a ProtocolError when it
   * is no part of a page.
   */
  add(message: native.NativeMessage, bytes: number): void {
    if (message.type !== 'deliver') {
      throw new ProtocolError('bad_frame', `${message.type} does not belong into a page of history.`);
    }
    // The count is the hub's word only, and all of the page is held until its end.
    if (this.#bytes >= limits.HISTORY_PAGE_BYTES_MAX) {
      throw new ProtocolError('bad_length', 'A page of history is longer than it may be.');
    }
    this.#bytes += bytes;
    this.#publications.push(message.publication);
  }
}
