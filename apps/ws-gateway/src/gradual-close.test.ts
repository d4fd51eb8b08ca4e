import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GradualClose } from './gradual-close.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe('GradualClose', () => {
  test('without a window all items are closed at once', () => {
    const closed: number[] = [];
    new GradualClose([1, 2, 3], 0, (one) => closed.push(one));
    expect(closed).toEqual([1, 2, 3]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('within a window items are closed evenly, each once', () => {
    const closed: number[] = [];
    const all = Array.from({ length: 1_000 }, (_, index) => index);
    new GradualClose(all, 10_000, (one) => closed.push(one));
    for (let second = 1; second <= 10; second++) {
      const before = closed.length;
      vi.advanceTimersByTime(1_000);
      expect(Math.abs(closed.length - before - 100)).toBeLessThanOrEqual(1);
    }
    expect(closed).toEqual(all);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    [0, 1_000],
    [0.5, 500],
    [0.999, 100],
  ])('a single item is closed at a random time of the window: random %d, after %d ms', (random, atMs) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    const closed: string[] = [];
    new GradualClose(['a'], 1_000, (one) => closed.push(one));
    vi.advanceTimersByTime(atMs - 1);
    expect(closed).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(closed).toEqual(['a']);
  });

  test('a window can be shortened, and the rest is closed evenly within it', () => {
    const closed: number[] = [];
    const all = Array.from({ length: 100 }, (_, index) => index);
    const closing = new GradualClose(all, 10_000, (one) => closed.push(one));
    vi.advanceTimersByTime(2_000);
    expect(closed.length).toBeGreaterThanOrEqual(19);
    closing.shorten(1_000);
    closing.add(100);
    const before = closed.length;
    for (let tenth = 1; tenth <= 10; tenth++) {
      vi.advanceTimersByTime(100);
      expect(Math.abs(closed.length - before - tenth * 8)).toBeLessThanOrEqual(2);
    }
    expect(closed.toSorted((one, other) => one - other)).toEqual([...all, 100]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a window is never extended', () => {
    const closed: number[] = [];
    const closing = new GradualClose([1, 2, 3, 4], 2_000, (one) => closed.push(one));
    vi.advanceTimersByTime(1_000);
    closing.shorten(60_000);
    vi.advanceTimersByTime(1_000);
    expect(closed).toEqual([1, 2, 3, 4]);
    closing.shorten(1_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a window shortened to 0 ends at once', () => {
    const closed: number[] = [];
    const closing = new GradualClose([1, 2], 60_000, (one) => closed.push(one));
    closing.shorten(0);
    expect(closed).toEqual([1, 2]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('closeAll closes the rest at once', () => {
    const closed: number[] = [];
    const closing = new GradualClose([1, 2, 3, 4], 60_000, (one) => closed.push(one));
    vi.advanceTimersByTime(30_000);
    expect(closed).toEqual([1, 2]);
    closing.closeAll();
    expect(closed).toEqual([1, 2, 3, 4]);
    closing.closeAll();
    expect(closed).toEqual([1, 2, 3, 4]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an item that is added later', () => {
  test('is closed once, within the rest of the window', () => {
    const closedMs = new Map<string, number>();
    const startMs = Date.now();
    const closing = new GradualClose<string>([], 10_000, (one) => closedMs.set(one, Date.now() - startMs));
    vi.advanceTimersByTime(4_000);
    for (let index = 0; index < 100; index++) closing.add(`late ${index}`);
    expect(closedMs.size).toBe(0);
    vi.advanceTimersByTime(6_000);
    expect(closedMs.size).toBe(100);
    expect(new Set(closedMs.values()).size).toBeGreaterThan(10);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('does not change the times of the others', () => {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.4);
    const closed: string[] = [];
    const closing = new GradualClose(['a', 'b'], 1_000, (one) => closed.push(one));
    closing.add('late');
    vi.advanceTimersByTime(500);
    expect(closed).toEqual(['a']);
    vi.advanceTimersByTime(100);
    expect(closed).toEqual(['a', 'late']);
    vi.advanceTimersByTime(400);
    expect(closed).toEqual(['a', 'late', 'b']);
  });

  test('is closed at once after the window', () => {
    const closed: string[] = [];
    const closing = new GradualClose<string>([], 1_000, (one) => closed.push(one));
    vi.advanceTimersByTime(1_000);
    closing.add('late');
    expect(closed).toEqual(['late']);
  });
});
