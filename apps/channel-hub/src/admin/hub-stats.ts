import type { ErrorCode } from '@groupcast/protocol';
import type { PhpCounts } from '../dialect/php/counts.ts';
import type { HistoryStats } from '../engine/engine.ts';
import type { SessionEnd } from '../peer/peer-end.ts';
import type { QueueStats } from '../queue/queue-stats.ts';

/** Counters (since the start) and gauges of a hub. */
export interface HubStats {
  /** Peers that are connected, whatever their state. */
  readonly sessions: number;
  /** Those of them that must still prove who they are, against a deadline. */
  readonly pendingSessions: number;
  /** Channels that somebody follows by name. */
  readonly channels: number;
  /** Prefixes that somebody follows. */
  readonly prefixes: number;
  /** Pairs of a session and what it follows. */
  readonly subscriptions: number;
  /** Channels that the engine keeps something for: those that are followed, and those with history. */
  readonly engineChannels: number;
  readonly history: HistoryStats;
  readonly queues: QueueStats;
  readonly php: Readonly<PhpCounts>;
  /** Publications taken from peers. */
  readonly published: number;
  /** Publications handed to subscribers: one count for each copy. */
  readonly delivered: number;
  /** Bytes that wait for all peers together, as last counted. */
  readonly queuedBytes: number;
  /** How often a publisher was made to pause, because too much was waiting for readers. */
  readonly publisherPauses: number;
  /** Connections dropped at once, because there were as many sessions as may be. */
  readonly dropped: number;
  /** Sessions that ended, by reason. */
  readonly closed: Readonly<Partial<Record<SessionEnd, number>>>;
  /** Requests that were refused while the session went on, by error code. */
  readonly refused: Readonly<Partial<Record<ErrorCode, number>>>;
}
