import type { native, ProtocolError } from '@groupcast/protocol';
import type { RequestSenderStats } from './publishing/request-sender.ts';
import type { QueueItem } from './queues/queue-watches.ts';
import type { SubscriptionStats } from './subscriptions/subscriptions.ts';

/**
 *     idle -> connecting -> authenticating -> open -> leaving (the hub is about to end)
 *                ^               |             |        |
 *                +--- waiting <--+-------------+--------+        any -> closed
 */
export type HubClientState =
  | 'idle'
  | 'connecting'
  | 'authenticating'
  | 'open'
  | 'leaving'
  | 'waiting'
  | 'closed';

/**
 * Events of `HubClient`. An exception of a listener is an uncaught exception of the process, and
 * disturbs nothing else.
 */
export interface HubClientEvents {
  /** Every change of state. With `waiting`, the error says why the last connection ended. */
  state: [state: HubClientState, error: ProtocolError | undefined];
  /**
   * The hub rejected a subscription: no publications of this subject follow. The client asks the
   * hub again every second.
   */
  rejected: [subject: native.Subject, error: ProtocolError];
  /**
   * The hub rejected a watch: no items of this queue follow. The client asks the hub again every
   * second.
   */
  watchRejected: [queue: string, error: ProtocolError];
  /**
   * The handler of a queue has thrown, or its promise has rejected. The hub knows that the item
   * failed, but not why. Without a listener the error is an uncaught exception.
   */
  itemFailed: [item: QueueItem, error: unknown];
}

export interface HubClientStats extends RequestSenderStats, SubscriptionStats {
  readonly state: HubClientState;
  /** Connections that were opened after the first one. */
  readonly reconnects: number;
  /** Requests for history that were sent to the hub. */
  readonly historyReads: number;
  /** History reads that are pending. */
  readonly historyWaiting: number;
  /** Messages of a newer hub that this version has no use for, and that the hub announced. */
  readonly skipped: number;
}
