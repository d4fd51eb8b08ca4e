import { describe, expect, test } from 'vitest';
import { type BufferedRequest, Outbox } from './outbox.ts';

function waiting(bytes: number, deadlineMs: number): BufferedRequest<void> {
  return { frame: new Uint8Array(bytes), number: 0, answer: undefined, needs: 0, deadlineMs };
}

describe('Outbox', () => {
  test('accepts requests up to its last byte, and no more', () => {
    const outbox = new Outbox(10);
    expect(outbox.add(waiting(4, 1))).toBe(true);
    expect(outbox.add(waiting(7, 1))).toBe(false);
    expect(outbox.bytes).toBe(4);
    expect(outbox.add(waiting(6, 1))).toBe(true);
    expect(outbox.add(waiting(1, 1))).toBe(false);
    expect(outbox.bytes).toBe(10);
  });

  test('accepts one request above the limit while it is empty', () => {
    const outbox = new Outbox(10);
    expect(outbox.add(waiting(11, 1))).toBe(true);
    expect(outbox.add(waiting(1, 1))).toBe(false);
    outbox.takeAll();
    expect(outbox.add(waiting(1, 1))).toBe(true);
    expect(outbox.add(waiting(11, 1))).toBe(false);
    expect(new Outbox(0).add(waiting(1, 1))).toBe(false);
  });

  test('removes expired requests and their bytes', () => {
    const outbox = new Outbox(100);
    const first = waiting(1, 10);
    const second = waiting(2, 20);
    const third = waiting(4, 30);
    for (const publish of [first, second, third]) outbox.add(publish);
    expect(outbox.takeExpired(9)).toEqual([]);
    expect(outbox.takeExpired(20)).toEqual([first, second]);
    expect(outbox.bytes).toBe(4);
    expect(outbox.takeAll()).toEqual([third]);
  });

  test('removes everything in order, and is empty then', () => {
    const outbox = new Outbox(100);
    const all = [waiting(1, 1), waiting(2, 1), waiting(3, 1)];
    for (const publish of all) outbox.add(publish);
    expect(outbox.takeAll()).toEqual(all);
    expect(outbox.bytes).toBe(0);
    expect(outbox.takeAll()).toEqual([]);
    expect(outbox.takeExpired(Number.POSITIVE_INFINITY)).toEqual([]);
  });
});
