import { describe, expect, test, vi } from 'vitest';
import { ClosedLoop, type ClosedLoopOptions } from './closed-loop.ts';
import { Completion } from './completion.ts';

function loopOf(options: Partial<ClosedLoopOptions>) {
  const sent: number[] = [];
  const onFinished = vi.fn();
  const loop = new ClosedLoop({
    groups: [0],
    window: 1,
    parts: 1,
    messagesPerGroup: undefined,
    publish: (group) => void sent.push(group),
    onFinished,
    ...options,
  });
  return { loop, sent, onFinished };
}

describe('a closed loop', () => {
  test('sends the next message when the last is complete, each group by itself', () => {
    const { loop, sent } = loopOf({ groups: [4, 7] });
    loop.start();
    loop.complete(7, 0);
    loop.complete(7, 1);
    loop.complete(4, 0);
    loop.stop();
    loop.complete(4, 1);
    expect(sent).toEqual([4, 7, 7, 7, 4]);
  });

  test('keeps the window full, and never exceeds it', () => {
    const { loop, sent } = loopOf({ window: 3 });
    loop.start();
    expect(sent.length).toBe(3);
    // The oldest message blocks the others: its slot in the window is not free.
    loop.complete(0, 1);
    loop.complete(0, 2);
    expect(sent.length).toBe(3);
    loop.complete(0, 0);
    expect(sent.length).toBe(6);
    loop.stop();
  });

  test('waits for all parts of a group', () => {
    const { loop, sent } = loopOf({ parts: 2 });
    loop.start();
    loop.complete(0, 0);
    expect(sent.length).toBe(1);
    loop.complete(0, 0);
    expect(sent.length).toBe(2);
    loop.stop();
  });

  test('is finished when the last of its messages is complete', () => {
    const { loop, sent, onFinished } = loopOf({ groups: [0, 1], window: 2, messagesPerGroup: 2 });
    loop.start();
    expect(sent).toEqual([0, 0, 1, 1]);
    for (const [group, sequence] of [
      [0, 0],
      [0, 1],
      [1, 1],
    ] as const)
      loop.complete(group, sequence);
    expect(onFinished).not.toHaveBeenCalled();
    loop.complete(1, 0);
    expect(onFinished).toHaveBeenCalledOnce();
    loop.stop();
  });

  test('abandons a message that is never complete, and ignores a late report about it', () => {
    vi.useFakeTimers();
    try {
      const { loop, sent } = loopOf({});
      loop.start();
      vi.advanceTimersByTime(3_000);
      expect(sent.length).toBe(1);
      vi.advanceTimersByTime(3_000);
      expect(sent.length).toBe(2);
      loop.complete(0, 0);
      expect(sent.length).toBe(2);
      loop.complete(0, 1);
      expect(sent.length).toBe(3);
      loop.stop();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('completion', () => {
  const completions = (members: readonly number[], window: number) => {
    const complete: string[] = [];
    const completion = new Completion(members, window, (group, sequence) =>
      complete.push(`${group}:${sequence}`),
    );
    return { completion, complete };
  };

  test('is reached when the last member of the group has the message', () => {
    const { completion, complete } = completions([2, 1], 1);
    completion.delivered(0, 0);
    completion.delivered(1, 0);
    completion.delivered(0, 0);
    completion.delivered(0, 1);
    completion.delivered(0, 1);
    expect(complete).toEqual(['1:0', '0:0', '0:1']);
  });

  test('keeps the messages of a window apart', () => {
    const { completion, complete } = completions([2], 2);
    for (const sequence of [0, 1, 1, 0]) completion.delivered(0, sequence);
    expect(complete).toEqual(['0:1', '0:0']);
  });

  test('replaces an abandoned message by the next one in its slot', () => {
    const { completion, complete } = completions([2], 1);
    for (const sequence of [0, 1, 0, 1]) completion.delivered(0, sequence);
    expect(complete).toEqual(['0:1']);
  });
});
