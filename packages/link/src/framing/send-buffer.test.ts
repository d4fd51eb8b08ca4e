import { describe, expect, test } from 'vitest';
import { SendBuffer } from './send-buffer.ts';

describe('SendBuffer', () => {
  test('adjacent slices become one slice of the same buffer', () => {
    const read = Uint8Array.from({ length: 30 }, (_, index) => index);
    const queue = new SendBuffer();
    queue.push(read.subarray(3, 10));
    queue.push(read.subarray(10, 12));
    queue.push(read.subarray(12, 30));
    const chunks = queue.take();
    expect(chunks).toEqual([read.subarray(3, 30)]);
    expect(chunks[0]?.buffer).toBe(read.buffer);
  });

  test('a gap, another order or another buffer begins another chunk', () => {
    const read = Uint8Array.from({ length: 10 }, (_, index) => index);
    const queue = new SendBuffer();
    queue.push(read.subarray(0, 2));
    queue.push(read.subarray(3, 4));
    queue.push(read.subarray(2, 3));
    queue.push(Uint8Array.of(99));
    expect(queue.take()).toEqual([
      Uint8Array.of(0, 1),
      Uint8Array.of(3),
      Uint8Array.of(2),
      Uint8Array.of(99),
    ]);
  });

  test('it counts its bytes, and is empty after take', () => {
    const queue = new SendBuffer();
    queue.push(new Uint8Array(5));
    queue.push(new Uint8Array(7));
    expect(queue.bytes).toBe(12);
    queue.take();
    expect(queue.bytes).toBe(0);
    expect(queue.take()).toEqual([]);
  });
});
