import { describe, expect, test } from 'vitest';
import { connectionsMaxOf, connectionsMaxOfSystem } from './connections-max.ts';

describe('connectionsMaxOf', () => {
  test.each([
    [20_000, 16_000],
    [1_024, 819],
    [256, 192],
    [65, 1],
    [10, 1],
  ])('%d descriptors are %d connections', (descriptors, connections) => {
    expect(connectionsMaxOf(descriptors)).toBe(connections);
  });

  test('the limit of this process can be read', () => {
    expect(connectionsMaxOfSystem()).toBeGreaterThanOrEqual(1);
  });
});
