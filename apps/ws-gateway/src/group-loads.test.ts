import { expect, test } from 'vitest';
import { GroupLoads } from './group-loads.ts';
import { GroupLoad } from './policies/group-load.ts';

const RATE = { perSecond: 1_000, burst: 5_000 };

/** How many of 1,000 bytes are taken now. */
function taken(load: GroupLoad, nowMs: number): number {
  let count = 0;
  while (count < 100 && load.take(1_000, nowMs) === 'ok') count += 1;
  return count;
}

test('a group carries its burst, and then its rate', () => {
  const load = new GroupLoad(RATE, 0);
  expect(taken(load, 0)).toBe(5);
  expect(taken(load, 3_000)).toBe(3);
  expect(taken(load, 100_000)).toBe(5);
});

test('one message that is longer than the burst passes once, and has to be made up for', () => {
  const load = new GroupLoad(RATE, 0);
  expect(load.take(20_000, 0)).toBe('ok');
  expect(load.take(1, 15_000)).toBe('rate_limited');
  expect(load.take(1, 15_100)).toBe('ok');
});

test('what is delivered counts once, whoever sent it', () => {
  const load = new GroupLoad(RATE, 0);
  expect(load.take(1_000, 0)).toBe('ok');
  load.delivered(1_000);
  load.delivered(2_000);
  expect(taken(load, 0)).toBe(2);
});

test('what others send without end is owed up to the burst, and no longer', () => {
  const load = new GroupLoad(RATE, 0);
  for (let count = 0; count < 1_000; count++) load.delivered(1_000);
  expect(load.take(1, 4_999)).toBe('rate_limited');
  expect(load.take(1, 5_001)).toBe('ok');
});

test('loads without end are bounded, and one that is used stays', () => {
  const loads = new GroupLoads(RATE);
  const busy = loads.of('busy', 0);
  let most = 0;
  let kept = 0;
  for (let index = 0; index < 100_000; index++) {
    loads.of(`group:${index}`, 0);
    if (loads.of('busy', 0) === busy) kept += 1;
    most = Math.max(most, loads.size);
  }
  expect(most).toBeLessThanOrEqual(8_192);
  expect(kept).toBe(100_000);
});

test('a load is forgotten no earlier than its bucket is full again', () => {
  const loads = new GroupLoads(RATE);
  const load = loads.of('g', 0);
  expect(load.take(10_000, 0)).toBe('ok');
  // It owes 5,000, and has 5,000 to fill.
  for (let nowMs = 0; nowMs <= 9_000; nowMs += 500) loads.of(`other${nowMs}`, nowMs);
  expect(loads.of('g', 9_000)).toBe(load);
  for (let nowMs = 10_000; nowMs <= 50_000; nowMs += 500) loads.of('other', nowMs);
  expect(loads.of('g', 50_000)).not.toBe(load);
});
