import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import type { Outcome } from './rounds.ts';

/** All that one run of the bench has found, and where. */
export interface Results {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: string;
  readonly rounds: number;
  readonly outcomes: readonly Outcome[];
}

export function resultsOf(outcomes: readonly Outcome[], rounds: number, command: string): Results {
  const commit = execFileSync('git', ['describe', '--always', '--dirty']).toString().trim();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit,
    command,
    machine: machine(),
    rounds,
    outcomes,
  };
}

/** The results of a run before, in which scenarios of a new one take the place of those that they repeat. */
export function merged(before: Results | undefined, now: Results): Results {
  const repeated = new Set(now.outcomes.map(({ scenario }) => scenario));
  const kept = before?.outcomes.filter(({ scenario }) => !repeated.has(scenario)) ?? [];
  return { ...now, outcomes: [...kept, ...now.outcomes] };
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
