import { expect, test } from 'vitest';
import { warmUp } from './warm-up.ts';

test('ends after its rounds', async () => {
  expect(await warmUp({ maxMs: 60_000, roundsMax: 25 })).toBe(25);
});

test('without time does nothing', async () => {
  expect(await warmUp({ maxMs: 0 })).toBe(0);
});

test('ends when its time is up', async () => {
  const roundsMax = 1_000_000_000;
  expect(await warmUp({ maxMs: 1, roundsMax })).toBeLessThan(roundsMax);
});
