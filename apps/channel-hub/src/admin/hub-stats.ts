import type { ErrorCode } from '@groupcast/protocol';
import type { PhpCounts } from '../dialect/php/counts.ts';
import type { HistoryStats, KeyedStats } from '../engine/engine.ts';
import type { PeerCounts } from '../peer/peer-counts.ts';
import type { PeerEnd } from '../peer/peer-end.ts';
import type { QueueStats } from '../queue/queue-stats.ts';

/** Counters (since the start) and gauges of a hub. */
export interface HubStats extends Readonly<PeerCounts> {
  /** Connected peers, in any state. */
  readonly connectedPeers: number;
  /** Connected peers that must still authenticate before a deadline. */
  readonly pendingPeers: number;
  /** Channels subscribed to by name. */
  readonly channels: number;
  /** Prefixes subscribed to. */
  readonly prefixes: number;
  /** Pairs of a peer and a channel or prefix. */
  readonly subscriptions: number;
  /** Channels in the engine: those with a subscription, and those with history. */
  readonly engineChannels: number;
  readonly history: HistoryStats;
  readonly keyed: KeyedStats;
  readonly queues: QueueStats;
  readonly php: Readonly<PhpCounts>;
  /** Publications received from peers. */
  readonly published: number;
  /** Publications delivered, once per subscriber. */
  readonly delivered: number;
  /** Bytes in the buffers of all peers, when they were last counted. */
  readonly bufferedBytes: number;
  /** Number of pauses of publishers, because the buffers were near their limit. */
  readonly publisherPauses: number;
  /** Connections dropped because the limit of peers was reached. */
  readonly dropped: number;
  /** Ended peers, by reason. */
  readonly closed: Readonly<Partial<Record<PeerEnd, number>>>;
  /** Requests rejected while their peer stayed connected, by error code. */
  readonly rejected: Readonly<Partial<Record<ErrorCode, number>>>;
}
