import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Opener, type OpenerOptions } from './opener.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function openerOf(options: Partial<OpenerOptions>) {
  const begun: number[] = [];
  const abandoned: number[] = [];
  const onDone = vi.fn();
  const onFailed = vi.fn();
  const opener = new Opener({
    count: 3,
    connectingMax: 2,
    perSecond: 0,
    open: (index) => void begun.push(index),
    abandon: (index) => void abandoned.push(index),
    nowUs: () => performance.now() * 1_000,
    onOpened: () => {},
    onDone,
    onFailed,
    ...options,
  });
  opener.start();
  return { opener, begun, abandoned, onDone, onFailed };
}

describe('an opener', () => {
  test('opens up to its limit at a time, the next when one is open, and ends with the last', () => {
    const { opener, begun, onDone } = openerOf({});
    expect(begun).toEqual([0, 1]);
    opener.opened(1);
    expect(begun).toEqual([0, 1, 2]);
    opener.opened(0);
    expect(onDone).not.toHaveBeenCalled();
    opener.opened(2);
    expect(onDone).toHaveBeenCalledOnce();
    expect(opener.openCount).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('without connections it ends at once', () => {
    expect(openerOf({ count: 0 }).onDone).toHaveBeenCalledOnce();
  });

  test('keeps to its limit of attempts per second', () => {
    const { begun } = openerOf({ count: 100, connectingMax: 100, perSecond: 10 });
    expect(begun.length).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(begun.length).toBe(11);
  });

  test('retries a busy server at the time that it gave, not before, and counts it', () => {
    const { opener, begun, onDone } = openerOf({ count: 1 });
    for (let attempt = 1; attempt <= 20; attempt++) {
      expect(opener.failed(0, { reason: 'busy', retryAfterMs: 1_000 })).toBe(true);
      vi.advanceTimersByTime(990);
      expect(begun.length).toBe(attempt);
      vi.advanceTimersByTime(300);
      expect(begun.length).toBe(attempt + 1);
    }
    opener.opened(0);
    expect(onDone).toHaveBeenCalledOnce();
    expect(opener.retried).toBe(20);
  });

  test('gives up after a few breaks, and at once if a retry is useless', () => {
    const { opener, onFailed } = openerOf({ count: 1 });
    for (let attempt = 0; attempt < 6; attempt++) {
      expect(onFailed).not.toHaveBeenCalled();
      opener.failed(0, { reason: 'ECONNRESET', code: 'ECONNRESET' });
      vi.advanceTimersByTime(1_000);
    }
    expect(onFailed).toHaveBeenCalledOnce();

    const refused = openerOf({ count: 1 });
    refused.opener.failed(0, { reason: 'a 404', code: 'REFUSED' });
    expect(refused.onFailed).toHaveBeenCalledWith(expect.stringContaining('a 404'), expect.anything());
    expect(vi.getTimerCount()).toBe(0);
  });

  test('aborts a slow attempt, and gives up a server that accepts no connection', () => {
    const { opener, abandoned, onFailed } = openerOf({ count: 1 });
    vi.advanceTimersByTime(29_000);
    expect(abandoned).toEqual([]);
    vi.advanceTimersByTime(1_100);
    expect(abandoned.at(0)).toBe(0);
    opener.failed(0, { reason: 'it took too long' });
    vi.advanceTimersByTime(30_000);
    expect(onFailed).toHaveBeenCalledOnce();
  });

  test('ignores the end of an open connection', () => {
    const { opener } = openerOf({});
    opener.opened(0);
    expect(opener.failed(0, { reason: 'gone' })).toBe(false);
    opener.stop();
  });
});
