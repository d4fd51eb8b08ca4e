import { expect, test, vi } from 'vitest';
import { EventLoopDelay } from './event-loop-delay.ts';

test('a blocked event loop shows, for as long as its window is the last one', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const delay = new EventLoopDelay();
  try {
    expect(delay.read()).toEqual({ meanMs: 0, p99Ms: 0 });
    // The first sample only starts the measurement, so the block comes after it.
    while (delay.read().p99Ms < 200) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    }
    const { meanMs, p99Ms } = delay.read();
    expect(meanMs).toBeGreaterThan(0);
    expect(p99Ms).toBeGreaterThanOrEqual(200);
    // The window with the block is returned until the next one ends, which has no block.
    vi.advanceTimersByTime(10_000);
    expect(delay.read()).toEqual({ meanMs, p99Ms });
    vi.advanceTimersByTime(10_000);
    expect(delay.read()).toEqual({ meanMs: 0, p99Ms: 0 });
  } finally {
    delay.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  }
});
