import { describe, expect, test } from 'vitest';
import { Checker } from './checker.ts';

const GROUPS = [0, 0, 1];
const FAULTLESS = { lost: 0, doubled: 0, misordered: 0, unexpected: 0 };

describe('a checker', () => {
  test('finds no fault when each member receives each message of its group once and in order', () => {
    const checker = new Checker(GROUPS);
    for (const sequence of [0, 1, 2]) {
      for (const member of [0, 1]) expect(checker.take(member, 0, sequence)).toBe(true);
    }
    expect(checker.take(2, 1, 0)).toBe(true);
    const published = (group: number): number => (group === 0 ? 3 : 1);
    expect(checker.received).toBe(7);
    expect(checker.expected(published)).toBe(7);
    expect(checker.faults(published)).toEqual(FAULTLESS);
  });

  test('counts missing deliveries in the middle and at the end', () => {
    const checker = new Checker([0]);
    checker.take(0, 0, 2);
    checker.take(0, 0, 5);
    expect(checker.faults(() => 8)).toEqual({ ...FAULTLESS, lost: 2 + 2 + 2 });
  });

  test('counts duplicates', () => {
    const checker = new Checker([0]);
    checker.take(0, 0, 0);
    expect(checker.take(0, 0, 0)).toBe(false);
    checker.take(0, 0, 1);
    expect(checker.take(0, 0, 0)).toBe(false);
    expect(checker.received).toBe(2);
    expect(checker.faults(() => 2)).toEqual({ ...FAULTLESS, doubled: 2 });
  });

  test('counts a late delivery as out of order instead of lost, and its repetition as a duplicate', () => {
    const checker = new Checker([0]);
    checker.take(0, 0, 3);
    expect([1, 0, 2].map((sequence) => checker.take(0, 0, sequence))).toEqual([true, true, true]);
    expect(checker.take(0, 0, 1)).toBe(false);
    expect(checker.received).toBe(4);
    expect(checker.faults(() => 4)).toEqual({ ...FAULTLESS, misordered: 3, doubled: 1 });
  });

  test('counts deliveries for another member, for no member, and unreadable ones', () => {
    const checker = new Checker(GROUPS);
    expect(checker.take(0, 1, 0)).toBe(false);
    expect(checker.take(0, 0, -1)).toBe(false);
    expect(checker.take(-1, 0, 0)).toBe(false);
    checker.unreadable();
    expect(checker.faults(() => 0)).toEqual({ ...FAULTLESS, unexpected: 4 });
  });

  test('stores missing numbers up to its limit, and counts all', () => {
    const checker = new Checker([0, 0]);
    checker.take(0, 0, 900_000_000);
    checker.take(1, 0, 5);
    expect(checker.faults(() => 0)).toEqual({ ...FAULTLESS, lost: 900_000_005 });
    // The newest are kept.
    checker.take(0, 0, 899_999_999);
    expect(checker.faults(() => 0)).toEqual({ ...FAULTLESS, lost: 900_000_004, misordered: 1 });
  });
});
