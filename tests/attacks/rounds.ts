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

/** Rounds that are measured at least. A machine whose figures scatter gets more, two at a time. */
const ROUNDS_MIN = Number(process.env['ATTACK_ROUNDS'] ?? 3);
const ROUNDS_MAX = Math.max(15, ROUNDS_MIN);
/** Length of a phase, in milliseconds: first without the attack, then with it. */
const PHASE_MS = 800;
/** Limit of the median ratio of p99 with the attack to p99 without it. */
const RATIO_MAX = 3;

/** Length, in milliseconds, and number of the checks whether the last attack still has effects. */
const SETTLE_MS = 200;
const SETTLES_MAX = 10;
/** A bystander has settled at this multiple of the calmest p99 so far. */
const SETTLED_RATIO = 2;

/**
 * Measures a bystander without and with an attack, in turn, and expects no difference: the median
 * ratio of p99 is at most 3. Measures again while it is above: one pause of a collector decides a
 * p99 of 200 round trips, and with it a median of three.
 */
export async function expectUndisturbed(bystander: Bystander, attacker: Attacker): Promise<void> {
  // Ignore the first round: code that runs for the first time is slow, and so is a fresh process.
  let { calm: calmest } = await measureRound(bystander, attacker);
  const rounds: Round[] = [];
  while (rounds.length < ROUNDS_MIN || (rounds.length < ROUNDS_MAX && isUndecided(rounds))) {
    await settle(bystander, calmest);
    const round = await measureRound(bystander, attacker);
    rounds.push(round);
    calmest = Math.min(calmest, round.calm);
  }
  const median = medianOf(rounds);
  const figures = JSON.stringify({ median, rounds, did: attacker.did });
  if (process.env['ATTACK_FIGURES'] !== undefined) process.stderr.write(`${figures}\n`);
  expect(median, figures).toBeLessThanOrEqual(RATIO_MAX);
}

/** Whether the median is above the limit, or would be of an even number of rounds. */
function isUndecided(rounds: readonly Round[]): boolean {
  return rounds.length % 2 === 0 || medianOf(rounds) > RATIO_MAX;
}

function medianOf(rounds: readonly Round[]): number {
  const ratios = rounds.map(({ ratio }) => ratio).sort((one, other) => one - other);
  return ratios[Math.floor(ratios.length / 2)] ?? Number.POSITIVE_INFINITY;
}

async function measureRound(bystander: Bystander, attacker: Attacker): Promise<Round> {
  const calm = await p99Of(bystander, PHASE_MS);
  await attacker.attack();
  const attacked = await p99Of(bystander, PHASE_MS);
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
