import { describe, expect, test, vi } from 'vitest';
import { Backoff } from './backoff.ts';

describe('Backoff', () => {
  test('the delay grows until a connection was open for the maximum delay', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const backoff = new Backoff({ minMs: 100, maxMs: 1_000 });
    const waits = [backoff.nextDelayMs(0), backoff.nextDelayMs(1)];
    // Accepted and closed at once.
    backoff.opened(10);
    waits.push(backoff.nextDelayMs(1_009));
    waits.push(backoff.nextDelayMs(50_000));
    expect(waits).toEqual([50, 100, 200, 400]);
    backoff.opened(60_000);
    expect(backoff.nextDelayMs(61_000)).toBe(50);
    vi.restoreAllMocks();
  });
});
