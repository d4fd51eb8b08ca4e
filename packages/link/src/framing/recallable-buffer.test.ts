import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RecallableBuffer } from './recallable-buffer.ts';

const frame = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

describe('RecallableBuffer', () => {
  test('take returns the oldest frames, up to the limit in bytes', () => {
    const queue = new RecallableBuffer();
    queue.push(frame(1, 1), 'a');
    queue.push(frame(2, 2), 'b');
    queue.push(frame(3), 'a');
    expect(queue.bytes).toBe(5);
    expect(queue.take(4)).toEqual([frame(1, 1), frame(2, 2)]);
    expect(queue.take(4)).toEqual([frame(3)]);
    expect(queue.take(4)).toEqual([]);
    expect(queue.bytes).toBe(0);
  });

  test('take returns one frame above the limit', () => {
    const queue = new RecallableBuffer();
    queue.push(frame(1, 1, 1), 'a');
    queue.push(frame(2), 'a');
    expect(queue.take(2)).toEqual([frame(1, 1, 1)]);
  });

  test('recall removes the frames of one key', () => {
    const queue = new RecallableBuffer();
    queue.push(frame(1), 'a');
    queue.push(frame(2, 2), 'b');
    queue.push(frame(3), 'a');
    expect(queue.recall('a')).toBe(2);
    expect(queue.recall('a')).toBe(0);
    queue.push(frame(4), 'a');
    expect(queue.bytes).toBe(3);
    expect(queue.take(Number.POSITIVE_INFINITY)).toEqual([frame(2, 2), frame(4)]);
  });

  test('recall of many keys costs the same for any number of frames, and holds no memory', () => {
    const queue = new RecallableBuffer();
    const KEYS = 200_000;
    for (let key = 0; key < KEYS; key++) queue.push(new Uint8Array(100), `key ${key}`);
    // A pass over all frames per key would take an hour.
    for (let key = 1; key < KEYS; key++) queue.recall(`key ${key}`);
    expect(queue.bytes).toBe(100);
    expect(queue.take(Number.POSITIVE_INFINITY)).toHaveLength(1);
  });

  test('it behaves as a plain list does', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      fc.record({ op: fc.constant('push' as const), key, length: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ op: fc.constant('take' as const), key, length: fc.integer({ min: 1, max: 12 }) }),
      fc.record({ op: fc.constant('recall' as const), key, length: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new RecallableBuffer();
        let model: { key: string; frame: Uint8Array }[] = [];
        for (const [index, { op, key: under, length }] of steps.entries()) {
          if (op === 'push') {
            const pushed = new Uint8Array(length).fill(index);
            queue.push(pushed, under);
            model.push({ key: under, frame: pushed });
          } else if (op === 'recall') {
            queue.recall(under);
            model = model.filter((entry) => entry.key !== under);
          } else {
            let bytes = 0;
            let count = 0;
            while (
              count < model.length &&
              (count === 0 || bytes + (model[count]?.frame.length ?? 0) <= length)
            ) {
              bytes += model[count]?.frame.length ?? 0;
              count += 1;
            }
            expect(queue.take(length)).toEqual(model.splice(0, count).map((entry) => entry.frame));
          }
          expect(queue.bytes).toBe(model.reduce((bytes, entry) => bytes + entry.frame.length, 0));
        }
      }),
    );
  });
});
