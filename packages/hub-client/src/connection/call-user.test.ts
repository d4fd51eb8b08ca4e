import { describe, expect, test } from 'vitest';
import { useUncaught } from '../../testing/use-uncaught.ts';
import { callEachUser, callUser } from './call-user.ts';

const uncaught = useUncaught();

describe('callEachUser', () => {
  const heard: string[] = [];
  const call = (one: string, value: number): void => {
    heard.push(`${one} ${value}`);
    if (one.startsWith('bad')) throw new Error(one);
  };

  test('calls all in order; what some of them throw is uncaught', async () => {
    callEachUser(['a', 'bad 1', 'b', 'bad 2'], call, 7);
    expect(heard).toEqual(['a 7', 'bad 1 7', 'b 7', 'bad 2 7']);
    expect(uncaught.errors.all).toEqual([]);
    expect(await uncaught.errors.next()).toEqual(new Error('bad 1'));
    expect(await uncaught.errors.next()).toEqual(new Error('bad 2'));
  });

  test('calls those that are added meanwhile', () => {
    const all = new Set(['first']);
    const called: string[] = [];
    const add = (one: string): void => {
      called.push(one);
      all.add('second');
    };
    callEachUser(all, add, 0);
    expect(called).toEqual(['first', 'second']);
  });
});

test('callUser also keeps thrown values that are not errors', async () => {
  const thrower = (): void => {
    throw undefined;
  };
  callUser('one', thrower, 0);
  expect(await uncaught.errors.next()).toBeUndefined();
});
