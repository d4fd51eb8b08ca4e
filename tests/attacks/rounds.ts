import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Attacker } from './attacker.ts';

/** A client that has nothing to do with the attack; its round trips are timed. */
export interface Bystander {
  /** Rejects when the reply does not arrive in time. */
  roundTrip(): Promise<void>;
  /** Interval between the starts of two round trips, in milliseconds; they may overlap. */
  readonly everyMs: number;
}

interface Round {
  readonly calm: number;
  readonly attacked: number;
  readonly ratio: number;
}

/** Several rounds with phases of one length, and the median of their ratios. */
interface Series {
  readonly phaseMs: number;
  readonly median: number;
  readonly rounds: readonly Round[];
}

const ROUNDS = 5;
/** Length of a phase, in milliseconds: first without the attack, then with it. */
const PHASE_MS = 800;
/** Length of a phase of the second series, in milliseconds: p99 leaves out the slowest trips. */
const LONG_PHASE_MS = 3 * PHASE_MS;
/** Limit of the median ratio of p99 with the attack to p99 without it. */
const RATIO_MAX = 3;

/** Length, in milliseconds, and number of the checks whether the last attack still has effects. */
const SETTLE_MS = 200;
const SETTLES_MAX = 10;
/** A bystander has settled at this multiple of the calmest p99 so far. */
const SETTLED_RATIO = 2;

/**
 * Measures a bystander without and with an attack, in turn, and expects no difference.
 *
 * A short phase has so few round trips that one hiccup of the machine is its p99. A first series
 * above the limit is therefore repeated with longer phases, and the repetition decides.
 */
export async function expectUndisturbed(bystander: Bystander, attacker: Attacker): Promise<void> {
  // Ignore the first round: code that runs for the first time is slow, and so is a fresh process.
  const { calm } = await measureRound(bystander, attacker, PHASE_MS);
  const all = [await measureSeries(bystander, attacker, PHASE_MS, calm)];
  if (medianOfLast(all) > RATIO_MAX) {
    all.push(await measureSeries(bystander, attacker, LONG_PHASE_MS, calm));
  }
  const figures = JSON.stringify({ series: all, did: attacker.did });
  if (process.env['ATTACK_FIGURES'] !== undefined) process.stderr.write(`${figures}\n`);
  expect(medianOfLast(all), figures).toBeLessThanOrEqual(RATIO_MAX);
}

function medianOfLast(all: readonly Series[]): number {
  return all.at(-1)?.median ?? Number.POSITIVE_INFINITY;
}

async function measureSeries(
  bystander: Bystander,
  attacker: Attacker,
  phaseMs: number,
  calm: number,
): Promise<Series> {
  let calmest = calm;
  const rounds: Round[] = [];
  for (let count = 0; count < ROUNDS; count++) {
    await settle(bystander, calmest);
    const round = await measureRound(bystander, attacker, phaseMs);
    rounds.push(round);
    calmest = Math.min(calmest, round.calm);
  }
  const ratios = Float64Array.from(rounds, ({ ratio }) => ratio).sort();
  const median = ratios[Math.floor(ROUNDS / 2)] ?? Number.POSITIVE_INFINITY;
  return { phaseMs, median, rounds };
}

async function measureRound(bystander: Bystander, attacker: Attacker, phaseMs: number): Promise<Round> {
  const calm = await p99Of(bystander, phaseMs);
  await attacker.attack();
  const attacked = await p99Of(bystander, phaseMs);
  await attacker.rest();
  return { calm, attacked, ratio: attacked / calm };
}

/** Waits until the last attack has no more effects. */
async function settle(bystander: Bystander, calmest: number): Promise<void> {
  for (let count = 0; count < SETTLES_MAX; count++) {
    if ((await p99Of(bystander, SETTLE_MS)) <= SETTLED_RATIO * calmest) return;
  }
}

/** Returns the 99th percentile in milliseconds; infinite when too many round trips failed. */
async function p99Of({ roundTrip, everyMs }: Bystander, forMs: number): Promise<number> {
  const started: Promise<number>[] = [];
  const fromMs = performance.now();
  for (let dueMs = fromMs; dueMs < fromMs + forMs; dueMs += everyMs) {
    await delay(Math.max(0, dueMs - performance.now()));
    started.push(timeOf(roundTrip));
  }
  const times = Float64Array.from(await Promise.all(started)).sort();
  return times[Math.floor(0.99 * times.length)] ?? Number.POSITIVE_INFINITY;
}

async function timeOf(roundTrip: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  try {
    await roundTrip();
    return performance.now() - startMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
