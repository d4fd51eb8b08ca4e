import { describe, expect, test } from 'vitest';
import { connectionsMaxOf } from './connections-max.ts';

describe('connectionsMaxOf', () => {
  test.each([
    [20_000, 16_000],
    [1_024, 819],
    [256, 192],
    [65, 1],
    [10, 1],
    [Number.POSITIVE_INFINITY, 100_000],
    // LimitNOFILE=infinity of systemd, on some systems.
    [1_073_741_816, 1_000_000],
  ])('%d open files are %d connections', (openFiles, connections) => {
    expect(connectionsMaxOf(openFiles)).toBe(connections);
  });

  test('the limit of this process can be read', () => {
    expect(connectionsMaxOf()).toBeGreaterThanOrEqual(1);
  });
});
