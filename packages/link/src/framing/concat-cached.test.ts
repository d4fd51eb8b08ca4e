import { expect, test } from 'vitest';
import { concatCached } from './concat-cached.ts';

const [one, two, three] = ['one', 'two', 'three'].map((text) => Buffer.from(text)) as [
  Buffer,
  Buffer,
  Buffer,
];

test('equal chunks are concatenated once', () => {
  const joined = concatCached([one, two]);
  expect(joined.toString()).toBe('onetwo');
  expect(concatCached([one, two])).toBe(joined);
});

test.each([
  ['fewer', [one], 'one'],
  ['more', [one, two, three], 'onetwothree'],
  ['others', [one, three], 'onethree'],
  ['in another order', [two, one], 'twoone'],
  ['none', [], ''],
])('%s are concatenated again', (_how, chunks, expected) => {
  concatCached([one, two]);
  expect(concatCached(chunks).toString()).toBe(expected);
});

test('a long result is not kept', () => {
  const long = Buffer.alloc(70_000, 1);
  expect(concatCached([long])).not.toBe(concatCached([long]));
});
