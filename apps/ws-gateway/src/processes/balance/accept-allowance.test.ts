import { beforeEach, describe, expect, test } from 'vitest';
import { AcceptAllowance } from './accept-allowance.ts';

let allowance: AcceptAllowance;

beforeEach(() => {
  allowance = new AcceptAllowance();
});

/** Accepts `count` connections beside `open` ones; returns how many of them are reported. */
function reportsOf(count: number, open: number): number {
  return Array.from({ length: count }, (_, index) => allowance.accept(open + index)).filter(Boolean).length;
}

test('without a limit each of the first connections is reported, and few beside 2,000', () => {
  allowance.allow(Number.POSITIVE_INFINITY);
  expect(reportsOf(20, 0)).toBe(20);
  expect(reportsOf(1_000, 2_000)).toBeLessThan(10);
  expect(allowance.accepted).toBe(1_020);
});

describe('an allowance', () => {
  test('is one connection before the primary has sent any', () => {
    expect([allowance.isUsedUp, allowance.accept(0), allowance.isUsedUp]).toEqual([false, true, true]);
  });

  test('is reported at its half and at its end, and then it is used up', () => {
    allowance.allow(40);
    expect([reportsOf(19, 0), reportsOf(1, 19), reportsOf(19, 20)]).toEqual([0, 1, 0]);
    expect([allowance.isUsedUp, allowance.accept(39), allowance.isUsedUp]).toEqual([false, true, true]);
  });

  test('that becomes lower than the count is used up at once, and a higher one is not', () => {
    allowance.allow(10);
    reportsOf(5, 0);
    allowance.allow(4);
    expect(allowance.isUsedUp).toBe(true);
    allowance.allow(6);
    expect(allowance.isUsedUp).toBe(false);
  });
});
