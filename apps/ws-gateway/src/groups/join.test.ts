import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { FakeMember } from '../../testing/fake-member.ts';
import { LoopbackHub } from '../../testing/loopback-hub.ts';
import { createCounters } from '../admin/gateway-stats.ts';
import { completeOptions } from '../options.ts';
import { NOT_WAITING, TimingWheel } from '../timing-wheel.ts';
import { FanOut } from './fan-out.ts';
import { Group } from './group.ts';
import { Join, type JoinDeps } from './join.ts';
import { MemberMap } from './member-map.ts';
import { RecoveryBudget } from './recovery-budget.ts';

const JOIN_TICKS = 5;

let deps: JoinDeps;
let undone: Join[];
let wheel: TimingWheel;
let joins: MemberMap<Join>;
const [a, b] = [new Group('a', 'group:a'), new Group('b', 'group:b')];

beforeEach(() => {
  wheel = new TimingWheel();
  const options = completeOptions({ hub: new LoopbackHub(), wheel });
  const counters = createCounters();
  joins = new MemberMap();
  undone = [];
  deps = {
    hub: options.hub,
    wheel,
    counters,
    fanOut: new FanOut(options, counters, undefined),
    budget: new RecoveryBudget(options),
    joins,
    joinTicks: JOIN_TICKS,
    recoveryMessagesMax: 10,
    undo: (join) => undone.push(join),
    removeIfForbidden: () => false,
  };
});

function rejectedIds(member: FakeMember): unknown[] {
  return member.got.map((event) => {
    expect(event).toMatchObject({ type: 'error', code: 'hub_unavailable' });
    return (event as { id: unknown }).id;
  });
}

describe('Join', () => {
  test('returns the ids of its commands once, in order, and counts them for its member', () => {
    const [one, two] = [new FakeMember('one'), new FakeMember('two')];
    const [oneA, twoA, oneB] = [
      new Join(a, one, undefined, deps),
      new Join(a, two, undefined, deps),
      new Join(b, one, undefined, deps),
    ];
    oneA.add(1, true);
    twoA.add(2, true);
    oneA.add(3, false);
    oneB.add(4, true);
    expect([one.pendingCommands, two.pendingCommands, wheel.waiting]).toEqual([3, 1, 3]);
    expect(oneA.takeIds()).toEqual([1, 3]);
    expect(oneA.takeIds()).toEqual([]);
    expect(twoA.takeIds()).toEqual([2]);
    expect(oneB.takeIds()).toEqual([4]);
    expect([one.pendingCommands, two.pendingCommands]).toEqual([0, 0]);
    for (const join of [oneA, twoA, oneB]) join.end();
    expect([joins.of(a), joins.of(b), wheel.waiting]).toEqual([undefined, undefined, 0]);
  });

  test('further commands do not postpone the deadline of the first', () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    wheel.start();
    onTestFinished(() => wheel.stop());
    // Entries of one tick expire in steps, and the join is the last of them.
    for (let count = 0; count < 100; count++) {
      wheel.schedule({ wheelSlot: NOT_WAITING, expired: () => {} }, JOIN_TICKS);
    }
    const join = new Join(a, new FakeMember('one'), undefined, deps);
    join.add(1, true);
    vi.advanceTimersByTime(JOIN_TICKS * 1_000);
    expect(undone).toEqual([]);
    join.add(2, false);
    vi.advanceTimersByTime(999);
    expect(undone).toEqual([join]);
  });

  test('rejects overdue commands, and is undone with the command that brought the member in', () => {
    const [one, two] = [new FakeMember('one'), new FakeMember('two')];
    const again = new Join(a, one, undefined, deps);
    const first = new Join(a, two, undefined, deps);
    again.add(1, false);
    wheel.tick();
    again.add(2, false);
    first.add(3, true);
    for (let tick = 0; tick < JOIN_TICKS - 2; tick++) wheel.tick();
    expect([one.got, undone]).toEqual([[], []]);
    wheel.tick();
    expect([rejectedIds(one), one.pendingCommands, undone]).toEqual([[1], 1, []]);
    expect(joins.get(a, one)).toBe(again);
    wheel.tick();
    expect([rejectedIds(one), one.pendingCommands, undone]).toEqual([[1, 2], 0, [first]]);
    expect([joins.get(a, one), joins.get(a, two)]).toEqual([undefined, first]);
    expect(first.takeIds()).toEqual([3]);
  });
});
