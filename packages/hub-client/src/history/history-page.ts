import type { native, Position, ProtocolError } from '@groupcast/protocol';

/** Publications of a channel, in order, or the first part of them. */
export interface HistoryPage<
  Verdict extends native.HistoryVerdict = Exclude<native.HistoryVerdict, 'snapshot'>,
> {
  readonly verdict: Verdict;
  /** Position of the channel, which is also that of the newest publication. */
  readonly position: Position;
  /** The epoch of `position`, compared with that of the question. */
  readonly epochIs: native.EpochComparison;
  /**
   * Publications in order: from the first after the requested position, or the newest ones. Empty
   * unless `recovered`.
   */
  readonly publications: readonly native.Publication[];
  /**
   * Whether publications follow behind this page. Read on from the epoch of `position` and the
   * offset of the last publication.
   */
  readonly more: boolean;
}

/** Start of a read: after a position, or at the newest publications, at most `last` of them. */
export type HistoryFrom = Position | { readonly last: number };

/** Callbacks for a page. Exactly one of the two is called, once. */
export interface HistoryAnswer<
  Verdict extends native.HistoryVerdict = Exclude<native.HistoryVerdict, 'snapshot'>,
> {
  page(page: HistoryPage<Verdict>): void;
  failed(error: ProtocolError): void;
}

/** Handle of a history read. */
export interface HistoryRead {
  /** Cancels the read: no callback is called. A request that was not sent yet never is. */
  cancel(): void;
}
