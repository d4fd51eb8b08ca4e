import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { Outcome } from '../rounds.ts';

/** Method and time of a measurement. */
export interface Provenance {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: string;
  readonly rounds: number;
}

export type Found = Outcome & Provenance;

/** Latest outcome of each scenario. */
export interface Results {
  readonly outcomes: readonly Found[];
}

/** Describes a run that begins now. */
export function provenanceOf(rounds: number, command: string): Provenance {
  const commit = execFileSync('git', ['describe', '--always', '--dirty']).toString().trim();
  return { date: new Date().toISOString().slice(0, 10), commit, command, machine: machine(), rounds };
}

/** Returns the results with the outcome of one scenario replaced. */
export function withOutcome(results: Results | undefined, found: Found): Results {
  const others = results?.outcomes.filter(({ scenario }) => scenario !== found.scenario) ?? [];
  return { outcomes: [...others, found] };
}

export function readResults(path: string): Results | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function machine(): string {
  const [cpu] = cpus();
  const gib = Math.round(totalmem() / 2 ** 30);
  return `${availableParallelism()} cores (${cpu?.model.trim()}), ${gib} GiB, Linux ${release()}, loopback`;
}
