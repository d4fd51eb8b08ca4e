import type { RunReport } from './run.ts';
import { saveRedRun } from './save-red-run.ts';

/**
 * Throws, with the violations and the file of the history, unless the run is valid: nothing lost,
 * doubled or reordered, and enough seen.
 */
export function expectValid({ verdict, swallowed, phpEnded, log, seed }: RunReport): void {
  if (verdict.valid === true && swallowed.length === 0 && phpEnded.length === 0) return;
  const found = [
    ...verdict.violations.map(({ code, what }) => `${code}: ${what}`),
    ...verdict.unknownWhy.map((why) => `unknown: ${why}`),
    ...phpEnded,
    ...swallowed.map((what) => `not handed on by the SDK: ${what}`),
  ];
  const shown = found.slice(0, 30).join('\n');
  throw new Error(
    `valid: ${verdict.valid}, seed ${seed}, history in ${saveRedRun(log, seed)}\n${shown}\n${found.length} findings`,
  );
}
