import { expect, test } from 'vitest';
import { workerFlags } from './worker-flags.ts';

test('a worker has a small young generation, and the flags of its primary', () => {
  expect(workerFlags(['--enable-source-maps'], undefined)).toEqual([
    '--enable-source-maps',
    '--max-semi-space-size=4',
  ]);
});

test.each([
  [['--max-semi-space-size=32'], undefined],
  [['--max_semi_space_size=32'], undefined],
  [[], '--no-warnings --max-semi-space-size=8'],
])('what is set otherwise stays: %j %j', (execArgv, nodeOptions) => {
  expect(workerFlags(execArgv, nodeOptions)).toEqual(execArgv);
});
