import { expect, test } from 'vitest';
import { workerFlags } from './worker-flags.ts';

const YOUNG = '--max-semi-space-size=4';
const HEAP = '--initial-heap-size=32';

test('a worker has the flags of its primary, a small young generation and some heap to fill', () => {
  expect(workerFlags(['--enable-source-maps'], undefined)).toEqual(['--enable-source-maps', YOUNG, HEAP]);
});

test.each([
  [['--max-semi-space-size=32'], undefined, [HEAP]],
  [['--max_semi_space_size=32'], undefined, [HEAP]],
  [[], '--no-warnings --max-semi-space-size=8', [HEAP]],
  [['--initial-heap-size=16'], undefined, [YOUNG]],
  [['--initial_heap_size=16'], '--max-semi-space-size=8', []],
])('flags that are set stay: %j %j', (execArgv, nodeOptions, added) => {
  expect(workerFlags(execArgv, nodeOptions)).toEqual([...execArgv, ...added]);
});
