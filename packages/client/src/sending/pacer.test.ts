import { expect, test } from 'vitest';
import { Pacer } from './pacer.ts';

function spendAll(pacer: Pacer, nowMs: number): number {
  let spent = 0;
  for (; pacer.isReady(nowMs); spent += 1) pacer.spend(1);
  return spent;
}

test('uses three quarters of the burst, then of the rate', () => {
  const pacer = new Pacer(1_000, 2_000, 0);
  expect(spendAll(pacer, 0)).toBe(1_500);
  expect(spendAll(pacer, 1_000)).toBe(750);
  expect(spendAll(pacer, 1_001)).toBe(0);
  expect(spendAll(pacer, 1_002)).toBe(1);
  expect(spendAll(pacer, 1_000_000)).toBe(1_500);
});

test('allows at least one message at any limit', () => {
  const pacer = new Pacer(1, 1, 0);
  expect(spendAll(pacer, 0)).toBe(1);
  expect(spendAll(pacer, 1_000)).toBe(0);
  expect(spendAll(pacer, 2_000)).toBe(1);
});
