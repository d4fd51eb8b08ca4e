import type { Pattern } from './patterns.ts';

// The checker runs as JavaScript, in this process.
process.env['RECHECK_BACKEND'] = 'pure';
const { check } = await import('recheck');

/** Limit in milliseconds for the check of a pattern. Simplify a pattern that exceeds it. */
const TIMEOUT_MS = 30_000;

/**
 * Returns why a pattern is not linear in the length of the text, or cannot be checked; `undefined`
 * if it is linear.
 */
export async function superLinear({ source, flags }: Pattern): Promise<string | undefined> {
  const found = await check(source, flags, { timeout: TIMEOUT_MS });
  if (found.status === 'safe') return undefined;
  if (found.status === 'unknown') return `cannot be checked (${found.error.kind})`;
  return `${found.complexity.summary}: ${found.attack.pattern}`;
}
