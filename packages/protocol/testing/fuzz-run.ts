import process from 'node:process';

const CASES_DEFAULT = 3_000;

/**
 * Number of cases of a fuzz test, and its seed. The environment sets them with `FUZZ_CASES` and
 * `FUZZ_SEED`.
 */
export interface FuzzRun {
  readonly numRuns: number;
  readonly seed: number;
}

/** Prints the values that repeat the run, so that a failure can be reproduced elsewhere. */
export function startFuzzRun(name: string): FuzzRun {
  const numRuns = integerOf('FUZZ_CASES') ?? CASES_DEFAULT;
  const seed = integerOf('FUZZ_SEED') ?? Math.floor(Math.random() * 2 ** 31);
  process.stdout.write(`${name}: repeat with FUZZ_SEED=${seed} FUZZ_CASES=${numRuns}\n`);
  return { numRuns, seed };
}

function integerOf(variable: string): number | undefined {
  const value = process.env[variable];
  if (value === undefined || value === '') return undefined;
  if (/^-?\d{1,10}$/.test(value)) return Number(value);
  throw new RangeError(`${variable} must be an integer of at most ten digits, not "${value}".`);
}
