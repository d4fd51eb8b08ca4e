import { parseArgs } from 'node:util';
import { killAll } from '@groupcast/testkit';
import { randomFaults } from './inject/random-faults.ts';
import { COMMON_LOAD, MIXED } from './load/load.ts';
import { Progress } from './progress.ts';
import { run } from './run.ts';
import { RED_RUNS_FOLDER, saveRedRun } from './save-red-run.ts';
import { type RedRound, redness, Summary } from './summary.ts';

const HELP = `Runs a hub, gateways and clients with random faults, and checks that no message was lost, doubled or
reordered.

  pnpm faults [--seed N] [--minutes M] [--keep FOLDER]

  --seed N       Seed of the faults and their order. Round R has the seed N + R - 1. Default: random.
  --minutes M    Time in which rounds start; each takes about a minute. 0: one round. Default 10.
  --keep FOLDER  Folder of the histories of red rounds, one event per line.
                 Default: ${RED_RUNS_FOLDER}

A seed repeats the faults, but not their timing: a red round may need more than one try.
Exit code 0: every round was green; 1: one was not; 2: invalid arguments.
`;

/** Seconds of faults in one round. */
const FAULTS_MS = 45_000;
const FINDINGS_SHOWN = 10;

interface Flags {
  readonly seed: number;
  readonly minutes: number;
  readonly keep: string;
}

/**
 * Throws a TypeError or a RangeError for invalid arguments; `undefined` when help was requested.
 */
function readFlags(args: readonly string[]): Flags | undefined {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      keep: { type: 'string', default: RED_RUNS_FOLDER },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return undefined;
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1e9));
  const minutes = Number(values.minutes);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError('--seed must be an integer from 0.');
  if (!(minutes >= 0)) throw new RangeError('--minutes must be a number from 0.');
  return { seed, minutes, keep: values.keep };
}

/** Runs one round with its own cluster. Returns why it was red. */
async function round(
  seed: number,
  { keep }: Flags,
  summary: Summary,
  progress: Progress,
): Promise<RedRound | undefined> {
  let faults = 0;
  const told = (name: string): void => {
    faults += 1;
    progress.doing(
      `round ${summary.rounds + 1} (seed ${seed}), red ${summary.red.length}, fault ${faults}: ${name}`,
    );
  };
  progress.doing(`round ${summary.rounds + 1} (seed ${seed}) starts`);
  try {
    const report = await run(
      (context) => randomFaults(context, FAULTS_MS, told),
      {
        seed,
        load: { ...COMMON_LOAD, ...MIXED },
      },
      { gateways: 1 + (seed % 2) },
    );
    summary.add(report);
    const { verdict, swallowed, log } = report;
    const how = redness(verdict, swallowed);
    if (how === undefined) return undefined;
    const violations = verdict.violations.map(({ code, what }) => `${code}: ${what}`);
    return {
      seed,
      how,
      what: [...violations, ...verdict.unknownWhy, ...swallowed],
      file: saveRedRun(log, seed, keep),
    };
  } catch (error) {
    return { seed, how: 'failed', what: [error instanceof Error ? error.message : String(error)] };
  }
}

async function main(flags: Flags): Promise<number> {
  const totalMs = flags.minutes * 60_000;
  const progress = new Progress(process.stdout, totalMs);
  const summary = new Summary();
  const endAt = performance.now() + totalMs;
  progress.line(`seed ${flags.seed}`);
  for (let seed = flags.seed; seed === flags.seed || performance.now() < endAt; seed++) {
    const red = await round(seed, flags, summary, progress);
    if (red === undefined) {
      progress.line(`seed ${seed}: green, ${summary.sum('received').toLocaleString('en')} receipts so far`);
      continue;
    }
    summary.red.push(red);
    progress.line(
      `seed ${seed}: ${red.how.toUpperCase()}${red.file === undefined ? '' : `, history in ${red.file}`}`,
    );
    for (const finding of red.what.slice(0, FINDINGS_SHOWN)) progress.line(`  ${finding}`);
    if (red.what.length > FINDINGS_SHOWN) progress.line(`  … ${red.what.length} findings`);
  }
  progress.end();
  process.stdout.write(`\n${summary}`);
  if (summary.red.length > 0)
    process.stdout.write(`\nred: seed ${summary.red.map(({ seed }) => seed).join(', ')}\n`);
  return summary.red.length === 0 ? 0 : 1;
}

let flags: Flags | undefined;
try {
  flags = readFlags(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  process.exit(2);
}
if (flags === undefined) {
  process.stdout.write(HELP);
} else {
  process.exitCode = await main(flags);
  await killAll();
}
