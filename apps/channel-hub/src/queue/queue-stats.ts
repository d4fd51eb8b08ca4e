/** What has happened to items since the start. */
export interface QueueCounts {
  /** Taken from producers. */
  enqueued: number;
  /** Refused for want of room. */
  refused: number;
  /** Done, and gone. */
  done: number;
  /** Given back by consumers that could not do them. */
  failed: number;
  /** Taken back from consumers that did not answer in time. */
  expired: number;
  /** Hand-outs after the first. */
  redelivered: number;
  /** Given up after too many attempts. */
  dead: number;
  /** Given up and not kept, or not any more, because the dead-letter queue was full, or there were too many of them. */
  deadDropped: number;
}

export function noCounts(): QueueCounts {
  return { enqueued: 0, refused: 0, done: 0, failed: 0, expired: 0, redelivered: 0, dead: 0, deadDropped: 0 };
}

/** Gauges and counters of all queues. */
export interface QueueStats extends Readonly<QueueCounts> {
  /** Queues that hold something or are watched, dead-letter queues among them. */
  readonly queues: number;
  /** Items that wait for a consumer. */
  readonly waiting: number;
  readonly leased: number;
  /** What items take. */
  readonly bytes: number;
  /** How long the oldest item that waits (of a dead-letter queue the next one) has been there, in milliseconds; 0 when none waits. */
  readonly oldestMs: number;
}

/** One queue, for people to look at. */
export interface QueueRow {
  readonly name: string;
  /** Items that wait for a consumer. */
  readonly waiting: number;
  readonly leased: number;
  readonly bytes: number;
  /** How long the oldest item that waits (of a dead-letter queue the next one) has been there, in milliseconds; 0 when none waits. */
  readonly oldestMs: number;
  readonly watchers: number;
}
