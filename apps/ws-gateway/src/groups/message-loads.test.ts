import { expect, test } from 'vitest';
import { FakeMember } from '../../testing/fake-member.ts';
import { AllNamespaceRules } from '../auth/namespace-rules.ts';
import { Group } from './group.ts';
import { MessageLoads } from './message-loads.ts';

const TEN = new AllNamespaceRules([{ prefix: 'ten:', publish_per_second: 10 }, { prefix: '' }]);

function loadsOf(workers: number, rules = TEN): MessageLoads {
  return new MessageLoads(workers, () => rules);
}

/** A group with a member on this worker. */
function seen(name: string): Group {
  const group = new Group(name, `group:${name}`);
  group.state = 'live';
  group.members.add(new FakeMember());
  return group;
}

/** Returns the number of messages that pass now, 1,000 at most. All are delivered back. */
function taken(loads: MessageLoads, name: string, group: Group | undefined, nowMs: number): number {
  let count = 0;
  for (; count < 1_000 && loads.publish(name, `group:${name}`, group, nowMs) === 'ok'; count++) {
    if (group !== undefined) loads.delivered(group, 1, nowMs);
  }
  return count;
}

test.each([
  ['with', seen('ten:1')],
  ['without', undefined],
])('a group %s members has a burst of two seconds, and then its rate', (_, group) => {
  const loads = loadsOf(1);
  expect([0, 0, 1_000, 1_500, 60_000].map((nowMs) => taken(loads, 'ten:1', group, nowMs))).toEqual([
    20, 0, 10, 5, 20,
  ]);
});

test('each group has its own, and groups of other namespaces have none', () => {
  const loads = loadsOf(1);
  expect(['ten:1', 'ten:2', 'other'].map((name) => taken(loads, name, undefined, 0))).toEqual([
    20, 20, 1_000,
  ]);
});

test('messages of other workers count where the group has members', () => {
  const [loads, group] = [loadsOf(4), seen('ten:1')];
  loads.delivered(group, 5, 0);
  expect(taken(loads, 'ten:1', group, 0)).toBe(0);
  expect(taken(loads, 'ten:1', group, 400)).toBe(4);
  // Without members each of four workers has a quarter.
  expect([0, 1_000].map((nowMs) => taken(loads, 'ten:2', undefined, nowMs))).toEqual([5, 2]);
});

test('a slow rate lets one message pass at once', () => {
  const slow = new AllNamespaceRules([{ prefix: '', publish_per_second: 0.1 }]);
  const loads = loadsOf(8, slow);
  expect([0, 9_000, 10_001].map((nowMs) => taken(loads, 'g', seen('g'), nowMs))).toEqual([1, 0, 1]);
});

test('other rules begin with other loads', () => {
  let rules = TEN;
  const loads = new MessageLoads(1, () => rules);
  const group = seen('ten:1');
  expect(taken(loads, 'ten:1', group, 0)).toBe(20);
  rules = new AllNamespaceRules([{ prefix: '', publish_per_second: 50 }]);
  expect(taken(loads, 'ten:1', group, 0)).toBe(100);
  rules = new AllNamespaceRules([]);
  expect(taken(loads, 'ten:1', group, 0)).toBe(1_000);
});
