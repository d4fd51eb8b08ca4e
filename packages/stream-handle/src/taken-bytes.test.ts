import { afterEach, describe, expect, test, vi } from 'vitest';
import { connectPair, type SocketPair } from '../testing/socket-pair.ts';
import { takenBytesOf } from './taken-bytes.ts';

/** More than the kernel buffers for one connection. */
const TOO_MUCH_BYTES = 32 * 1024 * 1024;

const until = (holds: () => boolean): Promise<unknown> =>
  vi.waitUntil(holds, { interval: 1, timeout: 30_000 });

const pairs: SocketPair[] = [];

afterEach(() => {
  for (const pair of pairs.splice(0)) pair.end();
});

async function pair(): Promise<SocketPair> {
  const made = await connectPair();
  pairs.push(made);
  return made;
}

describe('takenBytesOf', () => {
  test('returns the bytes that the kernel has, within a long write and after it', async () => {
    const { near, far } = await pair();
    expect(takenBytesOf(near)).toBe(0);
    near.write(Buffer.alloc(1_000));
    expect(takenBytesOf(near)).toBe(1_000);
    near.write(Buffer.alloc(TOO_MUCH_BYTES));
    near.write(Buffer.alloc(1_000));
    const taken = takenBytesOf(near) ?? 0;
    expect(taken).toBeGreaterThan(1_000);
    expect(taken).toBeLessThan(TOO_MUCH_BYTES);
    // The kernel takes more when a good part of its buffer is free, and not sooner.
    const hasMore = (): boolean => (takenBytesOf(near) ?? 0) > taken;
    far.on('data', () => hasMore() && far.pause());
    await until(() => hasMore() && far.isPaused());
    expect(takenBytesOf(near)).toBeLessThan(TOO_MUCH_BYTES);
    expect(near.writableLength).toBe(TOO_MUCH_BYTES + 1_000);
    far.removeAllListeners('data');
    far.resume();
    await until(() => takenBytesOf(near) === TOO_MUCH_BYTES + 2_000);
  });

  test('is undefined for a closed socket', async () => {
    const { near } = await pair();
    near.destroy();
    expect(takenBytesOf(near)).toBeUndefined();
  });
});
