import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMember } from './fixtures/fake-member.ts';
import { Group } from './group.ts';
import { type WaitingJoin, WaitingJoins } from './waiting-joins.ts';

let joins: WaitingJoins;
const groups = [new Group('a', 'group:a'), new Group('b', 'group:b')] as const;

beforeEach(() => {
  joins = new WaitingJoins();
});

function idsOf(taken: readonly WaitingJoin[]): unknown[] {
  return taken.map(({ id }) => id);
}

describe('WaitingJoins', () => {
  test('gives each join out once, in order, and counts those of each member', () => {
    const [one, two] = [new FakeMember('one'), new FakeMember('two')];
    joins.add(groups[0], { member: one, id: 1, joined: true, deadline: 5 });
    joins.add(groups[0], { member: two, id: 2, joined: true, deadline: 5 });
    joins.add(groups[0], { member: one, id: 3, joined: false, deadline: 6 });
    joins.add(groups[1], { member: one, id: 4, joined: true, deadline: 6 });
    expect([one.waitingJoins, two.waitingJoins, joins.size]).toEqual([3, 1, 2]);
    expect(idsOf(joins.takeOf(groups[0], one))).toEqual([1, 3]);
    expect(idsOf(joins.takeOf(groups[0], one))).toEqual([]);
    expect(idsOf(joins.takeAll(groups[0]))).toEqual([2]);
    expect(idsOf(joins.takeAll(groups[1]))).toEqual([4]);
    expect([one.waitingJoins, two.waitingJoins, joins.size]).toEqual([0, 0, 0]);
  });

  test('gives out those whose time is over, and keeps the others', () => {
    const member = new FakeMember();
    joins.add(groups[0], { member, id: 1, joined: true, deadline: 5 });
    joins.add(groups[0], { member, id: 2, joined: false, deadline: 6 });
    joins.add(groups[1], { member, id: 3, joined: true, deadline: 7 });
    expect(joins.takeExpired(4)).toEqual([]);
    expect(joins.takeExpired(6).map(([group, { id }]) => [group.name, id])).toEqual([
      ['a', 1],
      ['a', 2],
    ]);
    expect([member.waitingJoins, joins.size]).toEqual([1, 1]);
  });
});
