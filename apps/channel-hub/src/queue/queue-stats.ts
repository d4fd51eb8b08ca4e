/** Counters of items since the start. */
export interface QueueCounts {
  /** Accepted from producers. */
  enqueued: number;
  /** Rejected because a limit was reached. */
  rejected: number;
  /** Repetitions of a message id, answered and not enqueued again. */
  duplicates: number;
  /** Done, and gone. */
  done: number;
  /** Returned by consumers that could not process them. */
  failed: number;
  /** Requeued because their lease ended without an outcome. */
  expired: number;
  /** Deliveries after the first. */
  redelivered: number;
  /** Moved to a dead-letter queue after too many attempts. */
  dead: number;
  /** Dropped because a dead-letter queue was full, or the limit of such queues was reached. */
  deadDropped: number;
}

export function noCounts(): QueueCounts {
  return {
    enqueued: 0,
    rejected: 0,
    duplicates: 0,
    done: 0,
    failed: 0,
    expired: 0,
    redelivered: 0,
    dead: 0,
    deadDropped: 0,
  };
}

/** Gauges and counters of all queues. */
export interface QueueStats extends Readonly<QueueCounts> {
  /** Queues that have items or watches, dead-letter queues included. */
  readonly queues: number;
  /** Items that wait for a consumer. */
  readonly waiting: number;
  readonly leased: number;
  /** Bytes of all items. */
  readonly bytes: number;
  /** Message ids kept to recognize repetitions. */
  readonly messageIds: number;
  /** Message ids forgotten early because of their limit. */
  readonly messageIdsDropped: number;
  /** Age of the oldest waiting item (of a dead-letter queue the next one) in milliseconds, or 0. */
  readonly oldestMs: number;
}

/** Figures of one queue. */
export interface QueueRow {
  readonly name: string;
  /** Items that wait for a consumer. */
  readonly waiting: number;
  readonly leased: number;
  readonly bytes: number;
  /** Age of the oldest waiting item (of a dead-letter queue the next one) in milliseconds, or 0. */
  readonly oldestMs: number;
  readonly watchers: number;
}
