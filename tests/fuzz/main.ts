import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { FuzzReport } from './fuzz-report.ts';

const HELP = `Feeds mutated and valid frames of all dialects to the peers and codecs of a hub, and checks that no
other peer is affected.

  pnpm fuzz [--frames N] [--seed S]

  --frames N  Number of frames. Default 10,000,000.
  --seed S    Seed of the first round; round R has S + R - 1. Default: random.

Exit code 0 without a finding, otherwise 1.
`;

const FRAMES_DEFAULT = 10_000_000;
/** Frames between two lines of progress. */
const LINE_FRAMES = 500_000;

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: {
    frames: { type: 'string', default: String(FRAMES_DEFAULT) },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

async function main(seed: number, frames: number): Promise<void> {
  const report = new FuzzReport();
  const startMs = performance.now();
  let lineAt = LINE_FRAMES;
  process.stdout.write(`seed ${seed}\n`);
  await fuzz(seed, frames, report, () => {
    if (report.frames < lineAt) return;
    lineAt += LINE_FRAMES;
    const heapMib = Math.round(process.memoryUsage().heapUsed / 2 ** 20);
    process.stdout.write(`${report}; heap ${heapMib} MiB, findings ${report.findings.length}\n`);
  });
  const seconds = Math.round((performance.now() - startMs) / 1_000);
  process.stdout.write(`${report} in ${seconds} s\n`);
  for (const finding of report.findings) process.stdout.write(`${finding}\n`);
  process.exitCode = report.findings.length === 0 ? 0 : 1;
}

if (values.help) process.stdout.write(HELP);
else await main(Number(values.seed), Number(values.frames));
