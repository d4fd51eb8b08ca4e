import { fileURLToPath } from 'node:url';
import { killAll, startProcess } from '@groupcast/testkit';
import { afterEach, expect, test } from 'vitest';

const CYCLES = 100_000;

/**
 * Half of the cycles are with groups of their own: 40 bytes that stay behind of each would be this
 * much.
 */
const GROWTH_BYTES_MAX = 1024 * 1024;

afterEach(killAll);

test('100,000 joins, leaves and closes leave nothing behind, and the heap does not grow', async () => {
  const program = fileURLToPath(new URL('./churn-program.ts', import.meta.url));
  const child = startProcess(process.execPath, ['--expose-gc', '--import', 'tsx', program]);
  expect(await child.finished, child.stderr).toEqual({ code: 0, signal: null });
  const result = JSON.parse(child.stdout) as Record<string, number> & { left: Record<string, number> };
  expect(result).toMatchObject({ hasGc: true, joins: CYCLES, leaves: CYCLES, accepted: 1_000 });
  expect(Object.values(result.left).every((count) => count === 0)).toBe(true);
  expect(result['endBytes']! - result['halfwayBytes']!).toBeLessThan(GROWTH_BYTES_MAX);
});
