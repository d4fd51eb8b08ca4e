import { expect, test, vi } from 'vitest';
import { until } from './until.ts';

const wait = vi.hoisted(() => ({ WAIT_MS: 20_000 }));
vi.mock('./wait.ts', () => wait);

test('until probes again until the result holds, also after errors', async () => {
  let asked = 0;
  const probe = (): number => {
    asked += 1;
    if (asked === 1) throw new Error('not yet');
    return asked;
  };
  expect(await until(probe, 'three', (seen) => seen === 3)).toBe(3);
  expect(asked).toBe(3);
});

test('until fails in the end, and shows the last result', async () => {
  wait.WAIT_MS = 50;
  await expect(
    until(
      () => ({ channels: 1 }),
      'no channels',
      () => false,
    ),
  ).rejects.toThrow(/no channels.*channels: 1/);
  const refused = (): never => {
    throw new Error('ECONNREFUSED');
  };
  await expect(until(refused, () => 'a port')).rejects.toThrow(/a port.*ECONNREFUSED/s);
});
