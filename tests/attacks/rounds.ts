import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Attacker } from './attacker.ts';

/** What somebody who has nothing to do with an attack waits for, again and again. */
export interface Bystander {
  /** Rejects when nothing came in time. */
  roundTrip(): Promise<void>;
  /** Time between the beginnings of two round trips, in milliseconds; the next one does not wait for the last. */
  readonly everyMs: number;
}

interface Round {
  readonly calm: number;
  readonly attacked: number;
  readonly ratio: number;
}

const ROUNDS = 5;
const PHASE_MS = 800;
/** How many times longer p99 may be under attack: the median of the rounds. */
const RATIO_MAX = 3;

/** Looks so long, and so often at most, whether the work of an attack is done, which may outlast it. */
const SETTLE_MS = 200;
const SETTLES_MAX = 10;
/** Settled is what takes at most so many times longer than in the calmest phase so far. */
const SETTLED_RATIO = 2;

/** Measures a bystander without and with an attack, in turn, and expects that the attack does not show. */
export async function expectUndisturbed(bystander: Bystander, attacker: Attacker): Promise<void> {
  // Code that runs for the first time is slow, and so is what follows a start: that round does not count.
  let calmest = (await measureRound(bystander, attacker)).calm;
  const rounds: Round[] = [];
  for (let count = 0; count < ROUNDS; count++) {
    await settle(bystander, calmest);
    const round = await measureRound(bystander, attacker);
    rounds.push(round);
    calmest = Math.min(calmest, round.calm);
  }
  const ratios = rounds.map(({ ratio }) => ratio).sort((one, other) => one - other);
  const median = ratios[Math.floor(ROUNDS / 2)];
  const figures = JSON.stringify({ median, rounds, did: attacker.did });
  if (process.env['ATTACK_FIGURES'] !== undefined) process.stderr.write(`${figures}\n`);
  expect(median, figures).toBeLessThanOrEqual(RATIO_MAX);
}

async function measureRound(bystander: Bystander, attacker: Attacker): Promise<Round> {
  const calm = await p99Of(bystander, PHASE_MS);
  await attacker.attack();
  const attacked = await p99Of(bystander, PHASE_MS);
  await attacker.rest();
  return { calm, attacked, ratio: attacked / calm };
}

/** Waits until what an attack left behind is done. */
async function settle(bystander: Bystander, calmest: number): Promise<void> {
  for (let count = 0; count < SETTLES_MAX; count++) {
    if ((await p99Of(bystander, SETTLE_MS)) <= SETTLED_RATIO * calmest) return;
  }
}

/** 99 of 100 round trips take at most so many milliseconds; infinite when too many got nothing. */
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
  const beganMs = performance.now();
  try {
    await roundTrip();
    return performance.now() - beganMs;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
