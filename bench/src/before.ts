import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { native } from '@groupcast/protocol';
import { nativeWire } from './load/hub-wire.ts';
import { ROOT } from './paths.ts';
import { type Comparison, compare, comparisonText, pairedScenario } from './report/comparison.ts';
import { provenanceOf } from './report/results.ts';
import { type Outcome, runRounds } from './rounds.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { groupcasts } from './systems/groupcast.ts';
import { buildApps } from './systems/prepare.ts';

export interface BeforeOptions {
  /** Checkout to compare with. */
  readonly folder: string;
  readonly rounds: number;
  readonly seconds: number;
  /** Start the servers again for each round. */
  readonly fresh: boolean;
  /** Command line, for the JSON. */
  readonly command: string;
  /** File of the JSON. */
  readonly jsonFile?: string | undefined;
  /** Selection of the scenarios and candidates. */
  choose(all: readonly Scenario[]): readonly Scenario[];
}

/** Measures this checkout beside another one. Resolves with whether nothing has become slower. */
export async function benchBefore(options: BeforeOptions): Promise<boolean> {
  const { rounds, fresh, command, folder, jsonFile } = options;
  const root = `${resolve(folder)}/`;
  for (const one of [root, ROOT]) buildApps(one);
  const before = await ofCheckout(root, options);
  const now = await ofCheckout(ROOT, options);
  const found: (Outcome & { readonly comparisons: readonly Comparison[] })[] = [];
  for (const [index, one] of now.entries()) {
    const paired = pairedScenario(one, before[index] ?? one);
    const scenario = { ...paired, fresh: fresh || paired.fresh };
    const outcome = await runRounds(scenario, rounds, (line) => process.stderr.write(`${line}\n`));
    found.push({ ...outcome, comparisons: compare(scenario, outcome) });
    process.stdout.write(`${comparisonText(scenario, outcome)}\n`);
    if (jsonFile !== undefined)
      writeJson(jsonFile, { ...provenanceOf(rounds, command), before: root, found });
  }
  return found.every(({ comparisons }) => comparisons.every(({ isMet }) => isMet !== false));
}

async function ofCheckout(root: string, { seconds, choose }: BeforeOptions): Promise<readonly Scenario[]> {
  // The load on a hub speaks the wire of the same checkout.
  const codec = (await import(`${root}packages/protocol/src/native/index.ts`)) as typeof native;
  return choose(scenarios(groupcasts(root), { seconds, root, nativeWire: nativeWire(codec) }));
}

function writeJson(file: string, value: unknown): void {
  writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);
}
