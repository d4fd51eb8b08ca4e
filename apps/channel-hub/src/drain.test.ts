import { describe, expect, test, vi } from 'vitest';
import { Drain } from './drain.ts';

class Peer {
  readonly waits: number[] = [];
  readonly #canBeAsked: boolean;

  constructor(canBeAsked = true) {
    this.#canBeAsked = canBeAsked;
  }

  askToLeave(reconnectAfterMs: number): boolean {
    this.waits.push(reconnectAfterMs);
    return this.#canBeAsked;
  }
}

describe('a drain', () => {
  test('ends when all peers that were asked have left', async () => {
    const drain = new Drain<Peer>(60_000);
    const [one, other] = [new Peer(), new Peer()];
    const deaf = new Peer(false);
    expect(drain.ask(one)).toBe(one.waits[0]);
    drain.ask(other);
    expect(drain.ask(deaf)).toBeUndefined();
    drain.endIfEmpty();
    let isOver = false;
    const ended = drain.ended.then(() => {
      isOver = true;
    });
    drain.gone(deaf);
    drain.gone(one);
    drain.gone(one);
    await Promise.resolve();
    expect(isOver).toBe(false);
    drain.gone(other);
    await ended;
    expect(drain.counts).toEqual({ asked: 2, left: 2 });
  });

  test('ends at once when no peer could be asked', async () => {
    const drain = new Drain<Peer>(60_000);
    drain.ask(new Peer(false));
    drain.endIfEmpty();
    await drain.ended;
    expect(drain.counts).toEqual({ asked: 0, left: 0 });
  });

  test('ends with its window, and leaves no timer', async () => {
    vi.useFakeTimers();
    const drain = new Drain<Peer>(5_000);
    drain.ask(new Peer());
    drain.endIfEmpty();
    vi.advanceTimersByTime(4_999);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    await drain.ended;
    expect(drain.counts).toEqual({ asked: 1, left: 0 });
    const second = new Drain<Peer>(5_000);
    second.end();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test('spreads the reconnects over a second', () => {
    const drain = new Drain<Peer>(60_000);
    const waits = Array.from({ length: 4_000 }, () => drain.ask(new Peer()) ?? Number.NaN);
    drain.end();
    expect(waits.every((wait) => Number.isInteger(wait) && wait >= 0 && wait <= 1_000)).toBe(true);
    // A quarter in each quarter of the second; 800 of 1,000 in one is practically impossible.
    for (const from of [0, 250, 500, 750]) {
      expect(waits.filter((wait) => wait >= from && wait < from + 250).length).toBeGreaterThan(800);
    }
  });
});
