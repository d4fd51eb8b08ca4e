import { expect, test } from 'vitest';
import { FakeMember } from '../../testing/fake-member.ts';
import { Group } from './group.ts';
import { byteRatesOf, GroupLoads } from './group-loads.ts';

const KIB = 1024;
/** Rate whose shares are above the minimum of a worker. */
const OPTIONS = { groupBytesPerSecond: 1_000 * KIB, groupBytesBurst: 5_000 * KIB, workers: 1 };

function loadsOf(options: typeof OPTIONS): GroupLoads {
  return new GroupLoads(byteRatesOf(options), 'byteLoad');
}

/** A group with a member on this worker. */
function seen(): Group {
  const group = new Group('g', 'group:g');
  group.state = 'live';
  group.members.add(new FakeMember());
  return group;
}

function send(loads: GroupLoads, group: Group | undefined, kib: number, nowMs: number, name = 'g'): string {
  return loads.publish(`group:${name}`, group, kib * KIB, nowMs);
}

/** Returns the number of messages of 100 KiB that pass now. All are delivered back. */
function taken(loads: GroupLoads, group: Group | undefined, nowMs: number): number {
  let count = 0;
  for (; count < 1_000 && send(loads, group, 100, nowMs) === 'ok'; count++) {
    if (group !== undefined) loads.delivered(group, 100 * KIB, nowMs);
  }
  return count;
}

test.each([
  ['with', seen()],
  ['without', undefined],
])('a group %s members has its burst, and then its rate', (_, group) => {
  const loads = loadsOf(OPTIONS);
  expect(taken(loads, group, 0)).toBe(50);
  expect(taken(loads, group, 3_000)).toBe(30);
  expect(taken(loads, group, 100_000)).toBe(50);
});

test('each of several workers has a share of the burst, and those without members a share of the rate', () => {
  const group = seen();
  const loads = loadsOf({ ...OPTIONS, workers: 10 });
  const others = loadsOf({ ...OPTIONS, workers: 10 });
  expect([taken(loads, group, 0), taken(others, undefined, 0)]).toEqual([5, 5]);
  expect([taken(loads, group, 500), taken(others, undefined, 1_000)]).toEqual([5, 1]);
});

test('a share is at least 64 KiB, and at most the whole', () => {
  const loads = loadsOf({ ...OPTIONS, workers: 1_024 });
  expect([60, 60, 1].map((kib) => send(loads, undefined, kib, 0))).toEqual(['ok', 'ok', 'rate_limited']);
  const small = loadsOf({ groupBytesPerSecond: 0.001, groupBytesBurst: 1_000, workers: 1_024 });
  expect([1_000, 1].map((bytes) => small.publish('group:g', undefined, bytes, 0))).toEqual([
    'ok',
    'rate_limited',
  ]);
});

test('a message that is longer than the burst passes once, and is a debt', () => {
  const loads = loadsOf(OPTIONS);
  expect(send(loads, undefined, 20_000, 0)).toBe('ok');
  expect(send(loads, undefined, 1, 15_000)).toBe('rate_limited');
  expect(send(loads, undefined, 1, 15_100)).toBe('ok');
});

test('a delivered message counts once, whichever worker published it', () => {
  const [loads, group] = [loadsOf(OPTIONS), seen()];
  expect(send(loads, group, 1_000, 0)).toBe('ok');
  loads.delivered(group, 1_000 * KIB, 0);
  loads.delivered(group, 2_000 * KIB, 0);
  expect(taken(loads, group, 0)).toBe(20);
});

test('messages of other workers count before the first message of a client here', () => {
  const [loads, group] = [loadsOf(OPTIONS), seen()];
  loads.delivered(group, 4_000 * KIB, 0);
  expect(taken(loads, group, 0)).toBe(10);
});

test('messages of other workers count in full long after the last message of a client here', () => {
  const [loads, group] = [loadsOf(OPTIONS), seen()];
  expect(taken(loads, group, 0)).toBe(50);
  loads.delivered(group, 4_000 * KIB, 10_000);
  expect(taken(loads, group, 10_000)).toBe(10);
});

test('messages of other workers cause a debt of at most the burst', () => {
  const [loads, group] = [loadsOf(OPTIONS), seen()];
  for (let count = 0; count < 1_000; count++) loads.delivered(group, 1_000 * KIB, 0);
  expect(send(loads, group, 1, 4_999)).toBe('rate_limited');
  expect(send(loads, group, 1, 5_001)).toBe('ok');
});

test('bytes that are not delivered back do not offset other messages', () => {
  const [loads, group] = [loadsOf(OPTIONS), seen()];
  expect(send(loads, group, 4_000, 0)).toBe('ok');
  loads.delivered(group, 1_000 * KIB, 500);
  // The bucket is full again.
  loads.delivered(group, 3_000 * KIB, 10_000);
  expect(taken(loads, group, 10_000)).toBe(20);
});

test('the number of loads is limited, and one in use stays', () => {
  const loads = loadsOf(OPTIONS);
  let most = 0;
  expect(send(loads, undefined, 5_000, 0, 'busy')).toBe('ok');
  for (let index = 0; index < 100_000; index++) {
    send(loads, undefined, 1, 0, `${index}`);
    most = Math.max(most, loads.size);
  }
  expect(most).toBeLessThanOrEqual(8_192);
  expect(send(loads, undefined, 1, 0, 'busy')).toBe('rate_limited');
});

test('the number of loads in use is limited, too', () => {
  const loads = loadsOf(OPTIONS);
  let most = 0;
  for (let index = 0; index < 100_000; index++) {
    send(loads, undefined, 5_000, 0, `${index}`);
    most = Math.max(most, loads.size);
  }
  expect(most).toBeLessThanOrEqual(8_192);
});

test('a load stays until its bucket is full again', () => {
  const loads = loadsOf(OPTIONS);
  expect(send(loads, undefined, 10_000, 0)).toBe('ok');
  // The debt is 5,000 KiB.
  for (let nowMs = 0; nowMs < 4_999; nowMs += 500) send(loads, undefined, 1, nowMs, `other${nowMs}`);
  expect(send(loads, undefined, 1, 4_999)).toBe('rate_limited');
  for (let nowMs = 10_000; nowMs <= 50_000; nowMs += 500) send(loads, undefined, 1, nowMs, 'other');
  expect(loads.size).toBeLessThanOrEqual(2);
});

test('the load of a group outlasts the group', () => {
  const [loads, group] = [loadsOf(OPTIONS), seen()];
  expect(taken(loads, group, 0)).toBe(50);
  expect(send(loads, undefined, 1, 0)).toBe('rate_limited');
});
