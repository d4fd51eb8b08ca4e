import type { Pattern } from './patterns.ts';

// The checker runs as JavaScript, in this process.
process.env['RECHECK_BACKEND'] = 'pure';
const { check } = await import('recheck');

/** A pattern that takes longer to check than this many milliseconds counts as bad: write it more simply. */
const TIMEOUT_MS = 30_000;

/** Why the time of a pattern is not bounded by the length of the text, or cannot be told; `undefined` where it is. */
export async function superLinear({ source, flags }: Pattern): Promise<string | undefined> {
  const found = await check(source, flags, { timeout: TIMEOUT_MS });
  if (found.status === 'safe') return undefined;
  if (found.status === 'unknown') return `cannot be checked (${found.error.kind})`;
  return `${found.complexity.summary}: ${found.attack.pattern}`;
}
