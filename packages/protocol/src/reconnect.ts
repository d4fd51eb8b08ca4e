/** Bounds of the wait before another attempt to connect, in milliseconds. */
export interface ReconnectBounds {
  /** Upper bound of the first wait. */
  readonly minMs: number;
  /** Upper bound of every wait. */
  readonly maxMs: number;
}

/**
 * How long to wait before attempt number `attempt` (0 is the first): full jitter, a uniform draw between 0 and a bound
 * that doubles with each attempt. `random` is a draw from [0, 1).
 */
export function reconnectDelayMs(attempt: number, random: number, bounds: ReconnectBounds): number {
  // 2^30 times any sensible minimum is past any sensible maximum, and the power stays finite.
  const bound = Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(attempt, 30));
  return random * bound;
}
