import type { HistoryEvent } from './history-event.ts';

/** Milliseconds from before a message was sent until a member received it. */
export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/**
 * Latencies of the messages sent from `fromMs` to before `toMs`, on the clock of the history; each
 * 0 without messages.
 */
export function latencies(events: readonly HistoryEvent[], fromMs = -Infinity, toMs = Infinity): Latencies {
  const sentAt = new Map<string, number>();
  const all: number[] = [];
  for (const event of events) {
    if (event.type === 'inv' && event.at >= fromMs && event.at < toMs) sentAt.set(event.id, event.at);
    if (event.type !== 'recv') continue;
    const at = sentAt.get(event.id);
    if (at !== undefined) all.push(event.at - at);
  }
  const sorted = Float64Array.from(all).sort();
  const share = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { count: sorted.length, p50: share(0.5), p99: share(0.99), worst: share(1) };
}
