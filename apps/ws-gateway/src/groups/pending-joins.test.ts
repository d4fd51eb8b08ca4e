import { beforeEach, describe, expect, test } from 'vitest';
import { FakeMember } from '../../testing/fake-member.ts';
import { Group } from './group.ts';
import { WaitingJoin, WaitingJoins } from './pending-joins.ts';

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
    joins.add(new WaitingJoin(groups[0], one, 1, true, 5));
    joins.add(new WaitingJoin(groups[0], two, 2, true, 5));
    joins.add(new WaitingJoin(groups[0], one, 3, false, 6));
    joins.add(new WaitingJoin(groups[1], one, 4, true, 6));
    expect([one.waitingAnswers, two.waitingAnswers, joins.size]).toEqual([3, 1, 2]);
    expect(idsOf(joins.takeOf(groups[0], one))).toEqual([1, 3]);
    expect(idsOf(joins.takeOf(groups[0], one))).toEqual([]);
    expect(idsOf(joins.takeOf(groups[0], two))).toEqual([2]);
    expect(idsOf(joins.takeOf(groups[1], one))).toEqual([4]);
    expect([one.waitingAnswers, two.waitingAnswers, joins.size]).toEqual([0, 0, 0]);
  });

  test('gives out those whose time is over, and keeps the others', () => {
    const [one, two] = [new FakeMember('one'), new FakeMember('two')];
    joins.add(new WaitingJoin(groups[0], one, 1, true, 5));
    joins.add(new WaitingJoin(groups[0], one, 2, false, 7));
    joins.add(new WaitingJoin(groups[0], two, 3, true, 6));
    joins.add(new WaitingJoin(groups[1], one, 4, true, 7));
    expect(joins.takeExpired(4)).toEqual([]);
    const expired = joins.takeExpired(6);
    expect(expired.map(({ group, member, joins }) => [group.name, member.id, idsOf(joins)])).toEqual([
      ['a', 'one', [1]],
      ['a', 'two', [3]],
    ]);
    expect([one.waitingAnswers, two.waitingAnswers, joins.size]).toEqual([2, 0, 2]);
    expect(joins.takeExpired(7).length).toBe(2);
    expect([one.waitingAnswers, joins.size]).toEqual([0, 0]);
  });
});
