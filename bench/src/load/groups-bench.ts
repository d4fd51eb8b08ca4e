import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Candidate, Measured, Metric } from '../scenario.ts';

const MICROS_PER_MILLISECOND = 1_000;

/** The part of Vitest's report that is used here. */
interface BenchReport {
  readonly files: readonly {
    readonly groups: readonly {
      readonly benchmarks: readonly { readonly name: string; readonly mean: number }[];
    }[];
  }[];
}

/** Measured metrics by their names in groups.bench.ts. */
const BENCHES = {
  message: 'a message to one group',
  membership: 'a join and a leave',
} as const satisfies Partial<Record<Metric, string>>;

/** One of the gateway's own micro-benchmarks of its groups, with `groups` of them. */
export function groupsCandidate(root: string, groups: number, metric: keyof typeof BENCHES): Candidate {
  return {
    name: groupsText(groups),
    version: `1 process, Node ${process.version}`,
    isOurs: true,
    start: async () => ({ measure: () => measure(root, groups, metric), stop: async () => {} }),
  };
}

export function groupsText(count: number): string {
  return `${count.toLocaleString('en')} groups`;
}

async function measure(root: string, groups: number, metric: keyof typeof BENCHES): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'groupcast-bench-'));
  const file = join(folder, 'report.json');
  try {
    await runVitest(root, [
      '--testNamePattern',
      `with ${groups} groups of two ${BENCHES[metric]}`,
      '--outputJson',
      file,
    ]);
    const report: BenchReport = JSON.parse(readFileSync(file, 'utf8'));
    const all = report.files.flatMap((one) => one.groups).flatMap(({ benchmarks }) => benchmarks);
    const mean = all.find((one) => one.name === BENCHES[metric])?.mean;
    if (mean === undefined) throw new Error(`There is no benchmark "${BENCHES[metric]}" any more.`);
    return { [metric]: mean * MICROS_PER_MILLISECOND };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runVitest(root: string, args: readonly string[]): Promise<void> {
  const command = [
    `${root}node_modules/vitest/vitest.mjs`,
    'bench',
    '--run',
    '--project',
    '@groupcast/gateway',
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...command, 'groups.bench', ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('error', reject);
    // Not `close`: a process that it has started may keep the pipe open.
    child.on('exit', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`The micro-benchmark failed. ${said.trim()}`));
    });
  });
}
