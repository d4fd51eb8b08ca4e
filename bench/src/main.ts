import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchBefore } from './before.ts';
import { BENCH, ROOT } from './paths.ts';
import { report } from './report/report.ts';
import { provenanceOf, type Results, readResults, withOutcome } from './report/results.ts';
import type { Outcome } from './rounds.ts';
import { runRounds } from './rounds.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { buildApps, installPeers } from './systems/prepare.ts';
import { systems } from './systems/systems.ts';

const HELP = `Runs Groupcast and its peers side by side, and writes bench/RESULTS.md and its charts.

Usage: pnpm bench [options]

  --only LIST      scenarios, by prefixes of their names, comma-separated; other results stay
  --systems LIST   systems, by prefixes of their names, comma-separated; include floor and groupcast
  --rounds N       rounds of each scenario; default 5
  --seconds N      seconds of each measurement; default 4
  --quick          1 round of 2 seconds, as a test of the bench; writes nothing
  --before DIR     compares this checkout with the one in DIR instead: see below
  --fresh          with --before: starts the servers again for each round
  --json FILE      with --before: writes all figures to FILE
  --report         renders bench/results.json again, without measuring
  --list           lists the scenarios
  --help           this text

Servers share the machine with the load generator: leave it idle otherwise. Systems that are not
installed are skipped and noted.
The peers need: cc, redis-server and nats-server from Debian, and the npm registry.

--before DIR shows whether a change made anything slower. DIR is a clone of an older state, installed
("git clone . DIR && git -C DIR checkout COMMIT && node DIR/scripts/install.mjs"); both are built here, and measured
in turn within each round, in alternating order. Prints the ratios now/before: the median of the
rounds, with the least and the most. The exit code is 1 if the metric of a scenario grew by more
than a twentieth. Use nine rounds or more: pnpm bench --before DIR --rounds 9 --only fanout,groups,hub
One process of a hub can be twice as fast as the next one of the same build: --fresh compares many
processes of each instead of one.
`;

const RESULTS = `${BENCH}results.json`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    systems: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    quick: { type: 'boolean', default: false },
    before: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    json: { type: 'string' },
    report: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else if (values.report) {
  const results = readResults(RESULTS);
  if (results === undefined) throw new Error('There is no bench/results.json: run the bench first.');
  write(results, scenarios(systems(), { seconds: 0, root: ROOT }));
} else if (values.before !== undefined && !values.list) {
  const [rounds, seconds] = pace();
  const isAsFast = await benchBefore({
    folder: values.before,
    jsonFile: values.json,
    rounds,
    seconds,
    fresh: values.fresh,
    command: command(seconds),
    choose,
  });
  process.exitCode = isAsFast ? 0 : 1;
} else {
  if (!values.list) installPeers();
  await bench();
}

async function bench(): Promise<void> {
  const [rounds, seconds] = pace();
  const all = scenarios(systems(), { seconds, root: ROOT });
  const chosen = choose(all);
  if (values.list) {
    for (const { name, title } of all) process.stdout.write(`${name.padEnd(16)} ${title}\n`);
    return;
  }
  buildApps(ROOT);
  const provenance = provenanceOf(rounds, command(seconds));
  const outcomes: Outcome[] = [];
  for (const scenario of chosen) {
    const outcome = await runRounds(scenario, rounds, (line) => process.stderr.write(`${line}\n`));
    outcomes.push(outcome);
    // Keep the scenarios that are done if the user interrupts the run.
    if (!values.quick) write(withOutcome(readResults(RESULTS), { ...outcome, ...provenance }), all);
  }
  const empty = outcomes
    .flatMap(({ rows }) => rows)
    .filter(({ rounds: measured }) => measured.every((one) => one === null));
  process.exitCode = empty.some(({ trouble }) => !trouble?.startsWith('skipped')) ? 1 : 0;
}

/** Rounds, and the seconds of each. */
function pace(): [number, number] {
  return values.quick ? [1, 2] : [Number(values.rounds), Number(values.seconds)];
}

function choose(all: readonly Scenario[]): readonly Scenario[] {
  return all.filter(({ name }) => isChosen(name, values.only)).map(chooseSystems);
}

function chooseSystems(scenario: Scenario): Scenario {
  return {
    ...scenario,
    candidates: scenario.candidates.filter(({ name }) => isChosen(name, values.systems)),
  };
}

function isChosen(name: string, list: string | undefined): boolean {
  return list === undefined || list.split(',').some((beginning) => name.startsWith(beginning.trim()));
}

function command(seconds: number): string {
  const only = values.only === undefined ? '' : ` --only ${values.only}`;
  const some = values.systems === undefined ? '' : ` --systems '${values.systems}'`;
  const before =
    values.before === undefined ? '' : ` --before ${values.before}${values.fresh ? ' --fresh' : ''}`;
  return `pnpm bench --rounds ${values.rounds} --seconds ${seconds}${only}${some}${before}`;
}

function write(results: Results, all: readonly Scenario[]): void {
  const { page, charts } = report(results, all);
  mkdirSync(`${BENCH}charts`, { recursive: true });
  writeFileSync(RESULTS, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(`${BENCH}RESULTS.md`, page);
  for (const [name, chart] of charts) writeFileSync(`${BENCH}charts/${name}`, chart);
}
