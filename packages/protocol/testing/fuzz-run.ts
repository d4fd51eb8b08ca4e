import process from 'node:process';

const CASES_DEFAULT = 3_000;

/** How many cases a fuzz test runs, and from which seed. `FUZZ_CASES` and `FUZZ_SEED` of the environment set them. */
export interface FuzzRun {
  readonly numRuns: number;
  readonly seed: number;
}

/** Prints what is needed to repeat the run, so that a failure elsewhere can be had here. */
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
