import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EvenClose } from './even-close.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test('without a window all are closed at once', async () => {
  const closed: number[] = [];
  const closing = new EvenClose([1, 2, 3], 0, (one) => closed.push(one));
  expect(closed).toEqual([1, 2, 3]);
  await closing.done;
});

test('within a window they are closed evenly, each once', async () => {
  const closed: number[] = [];
  const all = Array.from({ length: 1_000 }, (_, index) => index);
  const closing = new EvenClose(all, 10_000, (one) => closed.push(one));
  for (let second = 1; second <= 10; second++) {
    vi.advanceTimersByTime(1_000);
    expect(closed.length).toBe(second * 100);
  }
  expect(closed).toEqual(all);
  await closing.done;
  expect(vi.getTimerCount()).toBe(0);
});

test('fewer connections than steps are spread over the whole window', () => {
  const closed: string[] = [];
  new EvenClose(['a', 'b'], 1_000, (one) => closed.push(one));
  vi.advanceTimersByTime(500);
  expect(closed).toEqual(['a']);
  vi.advanceTimersByTime(500);
  expect(closed).toEqual(['a', 'b']);
});

test('it can be made to hurry', async () => {
  const closed: number[] = [];
  const closing = new EvenClose([1, 2, 3, 4], 60_000, (one) => closed.push(one));
  vi.advanceTimersByTime(30_000);
  closing.hurry();
  expect(closed).toEqual([1, 2, 3, 4]);
  closing.hurry();
  expect(closed).toEqual([1, 2, 3, 4]);
  await closing.done;
  expect(vi.getTimerCount()).toBe(0);
});

test('with nothing to close it is done', async () => {
  await new EvenClose([], 60_000, () => {}).done;
  expect(vi.getTimerCount()).toBe(0);
});
