/** The times of heartbeats, in ticks. */
export interface HeartbeatTicks {
  /** A client that was silent for this long is asked. */
  readonly interval: number;
  /** How long it may take to answer. */
  readonly timeout: number;
}

/**
 * What to do at `now` about a client that was last heard at `heard` and last asked at `asked`: ask it, give it up, or look
 * again in so many ticks. Whatever comes from a client is an answer.
 */
export function heartbeatVerdict(
  now: number,
  heard: number,
  asked: number,
  ticks: HeartbeatTicks,
): 'ping' | 'no_answer' | number {
  if (asked > heard) {
    const waited = now - asked;
    return waited >= ticks.timeout ? 'no_answer' : ticks.timeout - waited;
  }
  const silent = now - heard;
  return silent >= ticks.interval ? 'ping' : ticks.interval - silent;
}

/**
 * When a client that connects at `now` counts as heard: somewhere in the interval before, so that the first pings of
 * clients that all came at once are spread over it. `random` is a draw from [0, 1).
 */
export function firstHeard(now: number, random: number, ticks: HeartbeatTicks): number {
  return now - Math.floor(random * ticks.interval);
}
