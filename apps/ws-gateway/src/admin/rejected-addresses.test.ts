import { expect, test } from 'vitest';
import { mergeRejected, RejectedAddresses } from './rejected-addresses.ts';

test('the most frequent addresses come first', () => {
  const rejected = new RejectedAddresses();
  for (const address of ['a', 'b', 'b', 'c', 'b', 'c']) rejected.add(address);
  expect(rejected.top()).toEqual([
    { address: 'b', rejected: 3 },
    { address: 'c', rejected: 2 },
    { address: 'a', rejected: 1 },
  ]);
});

test('a frequent address stays among any number of others, and ten are reported', () => {
  const rejected = new RejectedAddresses();
  for (let number = 0; number < 10_000; number++) {
    rejected.add(`once ${number}`);
    if (number % 10 === 0) rejected.add('often');
  }
  const top = rejected.top();
  expect(top).toHaveLength(10);
  expect(top[0]?.address).toBe('often');
  expect(top[0]?.rejected).toBeGreaterThanOrEqual(1_000);
});

test('counts of workers are added up', () => {
  const lists = [
    [
      { address: 'a', rejected: 3 },
      { address: 'b', rejected: 2 },
    ],
    [{ address: 'b', rejected: 2 }],
  ];
  expect(mergeRejected(lists)).toEqual([
    { address: 'b', rejected: 4 },
    { address: 'a', rejected: 3 },
  ]);
});
