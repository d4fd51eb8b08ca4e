import { describe, expect, test, vi } from 'vitest';
import { EventQueue } from './event-queue.ts';

vi.mock('./wait.ts', () => ({ WAIT_MS: 20 }));

describe('EventQueue', () => {
  test('returns events in order, those from before a wait and those from after it', async () => {
    const queue = new EventQueue<number>('number');
    queue.push(1);
    const taken = [queue.next(), queue.next(), queue.next()];
    queue.push(2);
    queue.push(3);
    queue.push(4);
    expect(await Promise.all(taken)).toEqual([1, 2, 3]);
    expect(queue.rest).toEqual([4]);
    expect(queue.all).toEqual([1, 2, 3, 4]);
  });

  test('skips events that do not match', async () => {
    const queue = new EventQueue<number>('number');
    queue.push(1);
    queue.push(2);
    const big = queue.next((number) => number > 2);
    queue.push(3);
    queue.push(4);
    expect(await big).toBe(3);
    expect(await queue.next()).toBe(4);
  });

  test('seen finds events that were read, and reads none', async () => {
    const queue = new EventQueue<number>('number');
    queue.push(1);
    await queue.next();
    const later = queue.seen((number) => number === 2);
    queue.push(2);
    expect(await queue.seen((number) => number === 1)).toBe(1);
    expect(await later).toBe(2);
    expect(await queue.next()).toBe(2);
  });

  test('returns undefined like any other event', async () => {
    const queue = new EventQueue<undefined>('nothing');
    queue.push(undefined);
    expect(await queue.next()).toBeUndefined();
  });

  test('rejects present and later waits at its end, but keeps events from before', async () => {
    const queue = new EventQueue<string>('line');
    const missed = queue.next((line) => line === 'never');
    queue.push('last words');
    queue.end('the process ended');
    await expect(missed).rejects.toThrow(/line.*the process ended.*last words/);
    await expect(queue.next()).rejects.toThrow('the process ended');
    expect(await queue.seen((line) => line === 'last words')).toBe('last words');
  });

  test('times out, and shows the events that were received instead', async () => {
    const queue = new EventQueue<string>('line');
    queue.push('something else');
    const missed = queue.next((line) => line === 'never');
    await expect(missed).rejects.toThrow(/line.*have passed.*1 came.*something else/);
  });
});
