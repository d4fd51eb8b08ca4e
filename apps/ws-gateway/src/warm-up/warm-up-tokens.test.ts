import { expect, test } from 'vitest';
import { warmUpTokens } from './warm-up-tokens.ts';

test('all its tokens are accepted, and it ends early when the worker ends', async () => {
  expect(await warmUpTokens(new AbortController().signal)).toBe(50);
  expect(await warmUpTokens(AbortSignal.abort())).toBe(0);
});
