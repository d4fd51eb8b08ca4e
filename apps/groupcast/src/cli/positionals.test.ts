import { expect, test } from 'vitest';
import { withOptionNames } from './positionals.ts';

test.each([
  [
    ['publish', '123', 'hello'],
    ['publish', '--group=123', '--text=hello'],
  ],
  [
    ['publish', '123', 'hello', '--hub', 'a:1'],
    ['publish', '--group=123', '--text=hello', '--hub', 'a:1'],
  ],
  [
    ['publish', '123', '--text', 'hello'],
    ['publish', '--group=123', '--text', 'hello'],
  ],
  [
    ['publish', '--', '-1', '--text'],
    ['publish', '--group=-1', '--text=--text'],
  ],
  [
    ['publish', '123', '', 'extra'],
    ['publish', '--group=123', '--text=', 'extra'],
  ],
  [['publish'], ['publish']],
  [
    ['subscribe', '123', 'extra'],
    ['subscribe', '--group=123', 'extra'],
  ],
  [
    ['dev', '123'],
    ['dev', '123'],
  ],
  [[], []],
])('%j is %j', (argv, named) => {
  expect(withOptionNames(argv)).toEqual(named);
});
