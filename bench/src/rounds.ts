import type { Candidate, Measured, Scenario, Subject } from './scenario.ts';

/** Outcome of one candidate in one scenario. */
export interface Row {
  readonly candidate: string;
  readonly version: string;
  /** Values by round; `null` where it could not be measured. */
  readonly rounds: readonly (Measured | null)[];
  /** Reason why it was not measured, or not always. */
  readonly trouble?: string | undefined;
}

export interface Outcome {
  readonly scenario: string;
  readonly rows: readonly Row[];
}

interface Entry {
  readonly candidate: Candidate;
  readonly rounds: (Measured | null)[];
  subject: Subject | undefined;
  trouble: string | undefined;
}

/**
 * Measures all candidates in turn, round by round, so that disturbances of the machine affect all
 * of them. Every other round runs backwards, so that a machine that slows down or speeds up favours
 * none. Where servers keep running, a round that does not count comes first: cold servers are
 * another scenario.
 */
export async function runRounds(
  scenario: Scenario,
  rounds: number,
  say: (line: string) => void,
): Promise<Outcome> {
  const entries: Entry[] = scenario.candidates.map((candidate) => ({
    candidate,
    rounds: [],
    subject: undefined,
    trouble: candidate.missing && `skipped: needs ${candidate.missing}`,
  }));
  for (let round = scenario.fresh ? 1 : 0; round <= rounds; round++) {
    for (const entry of round % 2 === 0 ? entries.toReversed() : entries) {
      const measured = entry.candidate.missing ? null : await measure(entry, scenario.fresh);
      if (round > 0) entry.rounds.push(measured);
      say(`${scenario.name} ${round}/${rounds} ${entry.candidate.name}: ${text(measured) || entry.trouble}`);
    }
  }
  for (const entry of entries) await stop(entry);
  return {
    scenario: scenario.name,
    rows: entries.map(({ candidate, rounds: measured, trouble }) => ({
      candidate: candidate.name,
      version: candidate.version,
      rounds: measured,
      trouble,
    })),
  };
}

async function measure(entry: Entry, fresh: boolean): Promise<Measured | null> {
  try {
    entry.subject ??= await entry.candidate.start();
    return await entry.subject.measure();
  } catch (error) {
    entry.trouble = error instanceof Error ? error.message : String(error);
    return null;
  } finally {
    if (fresh) await stop(entry);
  }
}

async function stop(entry: Entry): Promise<void> {
  try {
    await entry.subject?.stop();
  } catch (error) {
    entry.trouble = error instanceof Error ? error.message : String(error);
  }
  entry.subject = undefined;
}

function text(measured: Measured | null): string {
  return Object.entries(measured ?? {})
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join(', ');
}
