/** Bounds of the wait before another attempt to connect, in milliseconds. */
export interface ReconnectBounds {
  /** Upper bound of the first wait. */
  readonly minMs: number;
  /** Upper bound of every wait. */
  readonly maxMs: number;
}

/**
 * Returns the wait before attempt number `attempt` (0 is the first), in milliseconds: full jitter,
 * which is a uniform draw between 0 and a bound that doubles with each attempt. `random` is a draw
 * from [0, 1). No part of the wait is fixed, so that clients that were cut together spread at once.
 */
export function reconnectDelayMs(
  attempt: number,
  { minMs, maxMs }: ReconnectBounds,
  random: number = Math.random(),
): number {
  // After 1,024 attempts the power is infinite, and 0 times infinity is NaN.
  return random * Math.min(maxMs, minMs * 2 ** attempt || 0);
}
