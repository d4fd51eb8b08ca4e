import { expect, test, vi } from 'vitest';
import { NOT_WAITING, type Timed, TimingWheel } from './timing-wheel.ts';

class Alarm implements Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #wheel: TimingWheel;
  readonly rang: number[] = [];
  again = 0;

  constructor(wheel: TimingWheel) {
    this.#wheel = wheel;
  }

  expired(): void {
    this.rang.push(this.#wheel.now);
    if (this.again > 0) this.#wheel.schedule(this, this.again);
  }
}

function turn(wheel: TimingWheel, ticks: number): void {
  for (let tick = 0; tick < ticks; tick++) wheel.tick();
}

test('an entry expires once, in its tick', () => {
  const wheel = new TimingWheel();
  const alarm = new Alarm(wheel);
  wheel.schedule(alarm, 3);
  expect(wheel.waiting).toBe(1);
  turn(wheel, 100);
  expect(alarm.rang).toEqual([3]);
  expect(alarm.wheelSlot).toBe(NOT_WAITING);
  expect(wheel.waiting).toBe(0);
});

test('a later schedule replaces an earlier one, and cancel removes it', () => {
  const wheel = new TimingWheel();
  const moved = new Alarm(wheel);
  const cancelled = new Alarm(wheel);
  wheel.schedule(moved, 2);
  wheel.schedule(moved, 5);
  wheel.schedule(cancelled, 2);
  wheel.cancel(cancelled);
  wheel.cancel(cancelled);
  turn(wheel, 100);
  expect(moved.rang).toEqual([5]);
  expect(cancelled.rang).toEqual([]);
});

test('an entry that schedules itself while it expires does so each tick', () => {
  const wheel = new TimingWheel();
  const alarm = new Alarm(wheel);
  alarm.again = 1;
  wheel.schedule(alarm, 0);
  turn(wheel, 130);
  expect(alarm.rang).toEqual(Array.from({ length: 130 }, (_, index) => index + 1));
});

test('a wait longer than a revolution expires early, never late or twice', () => {
  const wheel = new TimingWheel();
  const alarm = new Alarm(wheel);
  wheel.schedule(alarm, 1_000);
  turn(wheel, 1_000);
  expect(alarm.rang).toEqual([63]);
});

test('times are rounded up to whole ticks', () => {
  const wheel = new TimingWheel(200);
  expect([0, 1, 200, 201, 1_000].map((ms) => wheel.ticksOf(ms))).toEqual([1, 1, 1, 2, 5]);
});

test('a started wheel advances by itself until it is stopped', async () => {
  const wheel = new TimingWheel(1);
  await new Promise<void>((resolve) => {
    wheel.schedule({ wheelSlot: NOT_WAITING, expired: resolve }, 2);
    wheel.start();
  });
  expect(wheel.now).toBeGreaterThanOrEqual(2);
  wheel.stop();
});

test('many entries of one tick expire evenly over it, few at its beginning', () => {
  vi.useFakeTimers();
  const wheel = new TimingWheel(1_000);
  const alarms = Array.from({ length: 100 }, () => new Alarm(wheel));
  for (const alarm of alarms) wheel.schedule(alarm, 1);
  const few = new Alarm(wheel);
  wheel.schedule(few, 2);
  wheel.start();
  const rung = (): number => alarms.filter(({ rang }) => rang.length > 0).length;
  vi.advanceTimersByTime(1_000);
  expect(rung()).toBe(2);
  vi.advanceTimersByTime(500);
  expect(rung()).toBe(52);
  vi.advanceTimersByTime(480);
  expect(alarms.map(({ rang }) => rang)).toEqual(alarms.map(() => [1]));
  expect(few.rang).toEqual([]);
  vi.advanceTimersByTime(20);
  expect(few.rang).toEqual([2]);
  wheel.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test('a tick that is not a valid number is rejected', () => {
  expect(() => new TimingWheel(Number.NaN)).toThrow(expect.objectContaining({ option: 'tickMs' }));
});
