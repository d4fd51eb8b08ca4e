/**
 * How long to wait before attempt number `attempt` (0 is the first): full jitter, an even draw between 0 and a bound that
 * doubles with each attempt: `minMs` at the first, `maxMs` at most. There is no floor: half of a crowd that comes back at once should not wait for the other half.
 */
export function backoffMs(attempt: number, minMs: number, maxMs: number): number {
  return Math.random() * Math.min(maxMs, minMs * 2 ** attempt);
}
