/** Times of heartbeats, in ticks. */
export interface HeartbeatTicks {
  /** Silence after which a client gets a ping. */
  readonly interval: number;
  /** Time for the answer to a ping. */
  readonly timeout: number;
}

/** Last uses of a connection in each direction, as ticks. */
export interface HeartbeatTimes {
  /** Last message or control frame from the client. */
  readonly heard: number;
  /** Last message to the client, as far as it sees them. */
  readonly sent: number;
  /** Last ping. */
  readonly asked: number;
}

/**
 * Decides about a client at tick `now`: `ping` it, close it for `no_answer`, or check again after
 * the returned number of ticks. Silence in either direction leads to a ping, because clients detect
 * a dead gateway by it, too. Any message of the client is an answer.
 */
export function heartbeatVerdict(
  now: number,
  { heard, sent, asked }: HeartbeatTimes,
  ticks: HeartbeatTicks,
): 'ping' | 'no_answer' | number {
  if (asked > heard) {
    const waited = now - asked;
    return waited >= ticks.timeout ? 'no_answer' : ticks.timeout - waited;
  }
  const silent = now - Math.min(heard, sent);
  return silent >= ticks.interval ? 'ping' : ticks.interval - silent;
}

/**
 * Returns the tick at which a client that connects at `now` counts as heard. It is a random one in
 * the interval before, so that first pings of clients that connect together are spread. `random` is
 * a number from [0, 1).
 */
export function firstHeard(now: number, random: number, ticks: HeartbeatTicks): number {
  return now - Math.floor(random * ticks.interval);
}
