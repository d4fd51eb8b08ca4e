import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Taker, Turns } from './accept-balancer.ts';

/** Does what it is told, and counts like a worker that reports each connection. */
class FakeTaker implements Taker {
  taken = 0;
  connections: number;
  takes = true;
  hangs = false;
  asked = 0;
  readonly #turns: Turns<FakeTaker>;

  constructor(turns: Turns<FakeTaker>, connections = 0) {
    this.#turns = turns;
    this.connections = connections;
    turns.join(this);
    turns.heard(this, this);
  }

  pause(): void {
    this.takes = false;
  }

  resume(): void {
    if (!this.hangs) this.takes = true;
  }

  ask(): void {
    this.asked += 1;
    if (!this.hangs) this.#turns.heard(this, this);
  }

  take(): void {
    this.taken += 1;
    this.connections += 1;
    this.#turns.heard(this, this);
  }
}

let turns: Turns<FakeTaker>;

beforeEach(() => {
  vi.useFakeTimers();
  turns = new Turns();
});
afterEach(() => {
  vi.useRealTimers();
});

function takers(...connections: readonly number[]): FakeTaker[] {
  return connections.map((count) => new FakeTaker(turns, count));
}

/** Each connection goes to the first one that takes any, as on a machine that always wakes the same one first. */
function arrive(all: readonly FakeTaker[], count: number): void {
  for (let index = 0; index < count; index++) {
    const taker = all.find(({ takes }) => takes);
    if (taker === undefined) throw new Error('Nobody takes connections.');
    taker.take();
  }
}

describe('evenness', () => {
  test.each([2, 3, 8])('of %i takers of whom the first would take all', (count) => {
    const all = takers(...Array<number>(count).fill(0));
    arrive(all, 250 * count);
    for (const { taken } of all) expect(Math.abs(taken - 250)).toBeLessThanOrEqual(25);
  });

  test('of the first few: one each', () => {
    const all = takers(0, 0, 0, 0);
    arrive(all, 4);
    expect(all.map(({ taken }) => taken)).toEqual([1, 1, 1, 1]);
  });

  test('comes back after a restart: whoever has few takes more of the new ones, but not all', () => {
    const all = takers(1_000, 1_000, 1_000, 0);
    const fresh = all[3]!;
    arrive(all, 700);
    expect(fresh.taken).toBeGreaterThan(250);
    expect(fresh.taken).toBeLessThan(500);
    arrive(all, 8_000);
    const counts = all.map(({ connections }) => connections);
    const mean = counts.reduce((sum, connections) => sum + connections) / all.length;
    for (const connections of counts) expect(Math.abs(connections - mean)).toBeLessThan(mean / 8);
  });
});

describe('somebody always takes connections', () => {
  test('when the one that is waited for is gone', () => {
    const [ahead, behind] = takers(0, 0);
    arrive([ahead!, behind!], 1);
    expect([ahead!.takes, behind!.takes]).toEqual([false, true]);
    turns.leave(behind!);
    expect(ahead!.takes).toBe(true);
    arrive([ahead!], 100);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('when the one that is waited for hangs; it takes its turn again when it answers, and does not catch up', () => {
    const [ahead, hung] = takers(0, 0);
    hung!.hangs = true;
    arrive([ahead!], 1);
    expect(ahead!.takes).toBe(false);
    vi.advanceTimersByTime(500);
    expect(ahead!.takes).toBe(true);
    arrive([ahead!], 300);
    hung!.hangs = false;
    turns.tick();
    arrive([ahead!, hung!], 200);
    expect(ahead!.taken).toBeGreaterThan(330);
    expect(hung!.taken).toBeGreaterThan(100);
  });

  test('when all of them hang', () => {
    const all = takers(0, 0);
    arrive(all, 1);
    for (const taker of all) taker.hangs = true;
    vi.advanceTimersByTime(500);
    all[0]!.hangs = false;
    turns.tick();
    vi.advanceTimersByTime(500);
    expect(all.some(({ takes }) => takes)).toBe(true);
  });
});

test('one that waits while nobody comes costs a question each second, and nobody who waits costs none', () => {
  const all = takers(0, 0);
  vi.advanceTimersByTime(10_000);
  turns.tick();
  expect(vi.getTimerCount()).toBe(0);
  arrive(all, 1);
  vi.advanceTimersByTime(1_000);
  const asked = all[1]!.asked;
  vi.advanceTimersByTime(10_000);
  expect(all[1]!.asked).toBe(asked);
  turns.tick();
  vi.advanceTimersByTime(1_000);
  expect(all[1]!.asked).toBe(asked + 1);
});

test('what is said by one that has left is not heard', () => {
  const [one, gone] = takers(0, 0);
  turns.leave(gone!);
  gone!.take();
  one!.take();
  expect([one!.takes, gone!.takes]).toEqual([true, true]);
});
