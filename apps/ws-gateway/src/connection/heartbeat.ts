/** The times of heartbeats, in ticks. */
export interface HeartbeatTicks {
  /** A client that was silent for this long is asked. */
  readonly interval: number;
  /** How long it may take to answer. */
  readonly timeout: number;
}

/** When, in ticks, a connection was last used in each direction. */
export interface HeartbeatTimes {
  /** Something came from the client. */
  readonly heard: number;
  /** Something was sent to the client that it can see. */
  readonly told: number;
  /** The client was asked whether it lives. */
  readonly asked: number;
}

/**
 * What to do about a client at `now`: ask it, give it up, or look again in so many ticks. A client is asked when either
 * direction was silent, because it too wants to know whether the other end lives. Whatever comes from it is an answer.
 */
export function heartbeatVerdict(
  now: number,
  { heard, told, asked }: HeartbeatTimes,
  ticks: HeartbeatTicks,
): 'ping' | 'no_answer' | number {
  if (asked > heard) {
    const waited = now - asked;
    return waited >= ticks.timeout ? 'no_answer' : ticks.timeout - waited;
  }
  const silent = now - Math.min(heard, told);
  return silent >= ticks.interval ? 'ping' : ticks.interval - silent;
}

/**
 * When a client that connects at `now` counts as heard: somewhere in the interval before, so that the first pings of
 * clients that all came at once are spread over it. `random` is a draw from [0, 1).
 */
export function firstHeard(now: number, random: number, ticks: HeartbeatTicks): number {
  return now - Math.floor(random * ticks.interval);
}
