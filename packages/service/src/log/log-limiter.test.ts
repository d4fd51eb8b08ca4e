import { expect, test } from 'vitest';
import { type LimiterClock, LogLimiter } from './log-limiter.ts';

/** A clock that moves only when the test moves it. */
class ManualClock implements LimiterClock {
  nowMs = 1_000;
  readonly timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();

  now(): number {
    return this.nowMs;
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + ms, callback };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const timer of [...this.timers]) {
      if (timer.atMs > this.nowMs) continue;
      this.timers.delete(timer);
      timer.callback();
    }
  }
}

function setup(): { clock: ManualClock; limiter: LogLimiter; reports: [string, number][] } {
  const clock = new ManualClock();
  const reports: [string, number][] = [];
  const limiter = new LogLimiter({
    clock,
    report: (reason, heldBack) => void reports.push([reason, heldBack]),
  });
  return { clock, limiter, reports };
}

function take(limiter: LogLimiter, reason: string, times: number): number {
  return Array.from({ length: times }, () => limiter.take(reason)).filter(Boolean).length;
}

test('ten lines a second for each reason, then one count', () => {
  const { clock, limiter, reports } = setup();
  expect(take(limiter, 'bad_json', 10)).toBe(10);
  expect(clock.timers.size).toBe(0);
  clock.advance(400);
  expect(take(limiter, 'bad_json', 5)).toBe(0);
  expect(take(limiter, 'bad_field', 12)).toBe(10);
  expect(clock.timers.size).toBe(1);
  clock.advance(599);
  expect(reports).toEqual([]);
  clock.advance(1);
  expect(reports).toEqual([
    ['bad_json', 5],
    ['bad_field', 2],
  ]);
  expect(clock.timers.size).toBe(0);
  expect(take(limiter, 'bad_json', 11)).toBe(10);
});

test('a late timer does not hold the next second back, and nothing is reported twice', () => {
  const { clock, limiter, reports } = setup();
  take(limiter, 'a', 13);
  clock.nowMs += 5_000;
  expect(limiter.take('a')).toBe(true);
  expect(reports).toEqual([['a', 3]]);
  expect(clock.timers.size).toBe(0);
  clock.advance(5_000);
  expect(reports).toHaveLength(1);
});

test('close reports and ends the timer; without a flood there is nothing to report', () => {
  const { clock, limiter, reports } = setup();
  take(limiter, 'a', 11);
  limiter.close();
  expect(reports).toEqual([['a', 1]]);
  expect(clock.timers.size).toBe(0);
  limiter.take('b');
  limiter.close();
  expect(reports).toHaveLength(1);
});

test('reasons that are new each time share one count in the end', () => {
  const { limiter, reports } = setup();
  const taken = Array.from({ length: 1_000 }, (_, index) => limiter.take(`made up ${index}`)).filter(
    Boolean,
  ).length;
  expect(taken).toBe(256 + 10);
  limiter.close();
  expect(reports).toEqual([['other', 1_000 - 266]]);
});
