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
 * An exception of a listener is an uncaught exception of the process, and disturbs nothing else.
 */
export interface HubClientEvents {
  /** Every change of state; `waiting` says why the last connection ended. */
  state: [state: HubClientState, error: ProtocolError | undefined];
  /**
   * The hub refused a subscription: nothing of this subject comes for now. The hub is asked again
   * every second.
   */
  refused: [subject: native.Subject, error: ProtocolError];
  /**
   * The hub refused that a queue is watched: nothing of it comes for now. The hub is asked again
   * every second.
   */
  watchRefused: [queue: string, error: ProtocolError];
  /**
   * A handler of a queue has thrown, or its promise has rejected. The hub knows that the item
   * failed, but not why. Without a listener the error is an uncaught exception.
   */
  itemFailed: [item: QueueItem, error: unknown];
}

export interface HubClientStats extends RequestSenderStats, SubscriptionStats {
  readonly state: HubClientState;
  /** Connections that were opened after the first. */
  readonly reconnects: number;
  /** Requests for history that were sent to the hub. */
  readonly historyReads: number;
  /** Answers about history that are waited for. */
  readonly historyWaiting: number;
}
