import type { Outcome, Row } from '../rounds.ts';
import type { Metric, Scenario } from '../scenario.ts';
import { GROUPCAST } from '../systems/groupcast.ts';
import { barChart } from './bar-chart.ts';
import type { Found, Results } from './results.ts';
import { ratios, type Spread, spreadOf } from './statistics.ts';

/** A page of Markdown, and its charts by file name. */
export interface Report {
  readonly page: string;
  readonly charts: ReadonlyMap<string, string>;
}

export const METRICS: Readonly<
  Record<Metric, { readonly label: string; readonly scale: number; readonly digits: number }>
> = {
  cpu: { label: 'CPU-s per million', scale: 1, digits: 2 },
  rate: { label: 'per second', scale: 1, digits: 0 },
  p50: { label: 'p50 ms', scale: 1, digits: 2 },
  p99: { label: 'p99 ms', scale: 1, digits: 2 },
  coldP99: { label: 'cold p99 ms', scale: 1, digits: 2 },
  memory: { label: 'KiB per connection', scale: 1 / 1024, digits: 2 },
  connect: { label: 'CPU µs per connection', scale: 1, digits: 0 },
  message: { label: 'µs per message', scale: 1, digits: 2 },
  membership: { label: 'µs per join and leave', scale: 1, digits: 2 },
  generator: { label: 'generator, cores', scale: 1, digits: 2 },
};

/** Columns of a line of text. */
const COLUMNS_MAX = 100;

/** Names of this project in the tables. */
const OURS: ReadonlySet<string> = new Set([GROUPCAST, 'groupcast hub']);

export function report(results: Results, scenarios: readonly Scenario[]): Report {
  const charts = new Map<string, string>();
  const sections = scenarios.flatMap((scenario) => {
    const outcome = results.outcomes.find((one) => one.scenario === scenario.name);
    if (outcome === undefined) return [];
    const chart = chartOf(scenario, outcome);
    if (chart !== undefined) charts.set(`${scenario.name}.svg`, chart);
    return [section(scenario, outcome, chart !== undefined)];
  });
  return { page: [head(), ...sections].join('\n'), charts };
}

function head(): string {
  return `# Results

Each cell is the median of the rounds, with the least and the most in brackets. A ratio is computed
within a round; the table has the median of the ratios. Each round measures all systems in turn.
Servers idle in between, and a round that does not count comes first, so that they are warm. Where
memory or warmth is measured, they start again for each round.

The load generator shares the cores of the machine with the servers, so rates are those of both
together. CPU seconds of the server per million deliveries are the cost of the server. "floor" is a
C program that only writes the bytes (bench/floor/floor.c). This project runs with its defaults,
except for the limits of connections and messages per second, which a generator on one address would
reach. The load of the hubs polls without a pause, so it uses a core at any rate. The bench writes
this file; do not edit it.
`;
}

function section(scenario: Scenario, found: Found, hasChart: boolean): string {
  const shown = metricsIn(found);
  const header = ['system', `ratio to ${scenario.baseline}`, ...shown.map((metric) => METRICS[metric].label)];
  const rows = found.rows.map((row) => [
    nameOf(row),
    ratioText(scenario, found, row),
    ...shown.map((metric) => cell(row, metric)),
  ]);
  const { date, commit, command, machine, rounds } = found;
  return [
    `## ${scenario.title}`,
    '',
    `\`${scenario.name}\`, compared by ${METRICS[scenario.metric].label}; less is better.`,
    '',
    ...verdicts(scenario, found),
    '',
    ...(hasChart ? [`![${scenario.title}](charts/${scenario.name}.svg)`, ''] : []),
    ...table(header, rows),
    ...notes(found),
    '',
    ...wrapped(`${rounds} rounds on ${date}, commit ${commit}, \`${command}\`; ${machine}.`),
    '',
  ].join('\n');
}

/** Whether this project reaches its target. */
function verdicts(scenario: Scenario, outcome: Outcome): string[] {
  return scenario.checks.flatMap(({ of, metric, over, most }) => {
    const values = valuesOf(rowOf(outcome, of), metric);
    const reached = spreadOf(
      over === undefined
        ? values.filter(isNumber)
        : ratios(values, valuesOf(rowOf(outcome, over.candidate), over.metric)),
    );
    if (reached === undefined) return [];
    const { label, scale, digits } = over === undefined ? METRICS[metric] : RATIO;
    const unit =
      over === undefined
        ? label
        : `times ${over.candidate === of ? METRICS[over.metric].label : over.candidate} (${METRICS[metric].label})`;
    const met = reached.median <= most ? 'met' : '**missed**';
    return [
      ...wrapped(
        `- ${of}: at most ${most * scale} ${unit} is wanted; ${spreadText(reached, scale, digits)} is reached: ${met}.`,
      ),
    ];
  });
}

const RATIO = { label: '', scale: 1, digits: 2 };

export function rowOf(outcome: Outcome, candidate: string): Row | undefined {
  return outcome.rows.find((row) => row.candidate === candidate);
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined;
}

function ratioText(scenario: Scenario, outcome: Outcome, row: Row): string {
  const ratio = ratioOf(scenario, outcome, row);
  return ratio === undefined ? '–' : spreadText(ratio, 1, 2);
}

function ratioOf({ metric, baseline }: Scenario, outcome: Outcome, row: Row): Spread | undefined {
  return spreadOf(ratios(valuesOf(row, metric), valuesOf(rowOf(outcome, baseline), metric)));
}

function nameOf({ candidate, version }: Row): string {
  return OURS.has(candidate) ? `**${candidate}** (${version})` : `${candidate} (${version})`;
}

function cell(row: Row, metric: Metric): string {
  const spread = spreadOf(present(row, metric));
  const { scale, digits } = METRICS[metric];
  return spread === undefined ? '–' : spreadText(spread, scale, digits);
}

export function spreadText({ median, min, max }: Spread, scale: number, digits: number): string {
  const text = (value: number): string =>
    (value * scale).toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
  return `${text(median)} (${text(min)}–${text(max)})`;
}

export function metricsIn(outcome: Outcome): readonly Metric[] {
  const all = Object.keys(METRICS) as Metric[];
  return all.filter((metric) => outcome.rows.some((row) => present(row, metric).length > 0));
}

export function valuesOf(row: Row | undefined, metric: Metric): (number | undefined)[] {
  return (row?.rounds ?? []).map((measured) => measured?.[metric]);
}

function present(row: Row, metric: Metric): number[] {
  return valuesOf(row, metric).filter((value) => value !== undefined);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}

function notes(outcome: Outcome): string[] {
  const troubles = outcome.rows.filter(({ trouble }) => trouble !== undefined);
  return troubles.flatMap(({ candidate, trouble }) => [
    '',
    ...wrapped(`${candidate}: ${trouble?.split('\n')[0]}.`),
  ]);
}

/** Breaks a paragraph into lines. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > COLUMNS_MAX) {
      lines.push(line);
      line = text.startsWith('- ') ? `  ${word}` : word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function chartOf(scenario: Scenario, outcome: Outcome): string | undefined {
  const { label, scale, digits } = METRICS[scenario.metric];
  const bars = outcome.rows.flatMap((row) => {
    const spread = spreadOf(present(row, scenario.metric));
    if (spread === undefined) return [];
    return [{ name: row.candidate, value: spread.median * scale, isOurs: OURS.has(row.candidate) }];
  });
  return bars.length < 2 ? undefined : barChart(scenario.title, `${label}, less is better`, bars, digits);
}
