import type { Outcome } from '../rounds.ts';
import type { Metric, Scenario } from '../scenario.ts';
import { METRICS, metricsIn, rowOf, spreadText, valuesOf } from './report.ts';
import { ratios, type Spread, spreadOf } from './statistics.ts';

/** Limit of the metric of a scenario: the median over the rounds of now over before. */
const RATIO_MAX = 1.05;

const BEFORE = ', before';

/** One metric of a candidate, now and before. */
export interface Comparison {
  readonly candidate: string;
  readonly metric: Metric;
  /** Ratios now over before, by round; undefined when no round has both. */
  readonly ratio: Spread | undefined;
  /** Whether the ratio is within the limit; undefined when the metric has none. */
  readonly isMet?: boolean;
}

/**
 * Returns a scenario with this project only, each candidate beside its twin of another checkout.
 */
export function pairedScenario(now: Scenario, before: Scenario): Scenario {
  const candidates = now.candidates.flatMap((one) => {
    const twin = before.candidates.find(({ name, isOurs }) => isOurs && name === one.name);
    return one.isOurs && twin !== undefined ? [{ ...twin, name: `${one.name}${BEFORE}` }, one] : [];
  });
  return { ...now, candidates };
}

/** Compares all metrics of all pairs. The metric of the scenario must not have grown. */
export function compare({ metric: judged }: Scenario, outcome: Outcome): Comparison[] {
  const pairs = outcome.rows.filter(({ candidate }) => rowOf(outcome, `${candidate}${BEFORE}`));
  return pairs.flatMap((now) =>
    metricsIn(outcome)
      .concat(judged)
      .filter(isFirst)
      .map((metric) => {
        const before = rowOf(outcome, `${now.candidate}${BEFORE}`);
        const ratio = spreadOf(ratios(valuesOf(now, metric), valuesOf(before, metric)));
        const verdict = { isMet: ratio !== undefined && ratio.median <= RATIO_MAX };
        return { candidate: now.candidate, metric, ratio, ...(metric === judged ? verdict : {}) };
      }),
  );
}

export function comparisonText(scenario: Scenario, outcome: Outcome): string {
  const lines = compare(scenario, outcome).map(({ candidate, metric, ratio, isMet }) => {
    const text = ratio === undefined ? 'not measured' : spreadText(ratio, 1, 3);
    const verdict = isMet === undefined ? '' : `  at most ${RATIO_MAX}: ${isMet ? 'met' : 'MISSED'}`;
    return `  ${candidate.padEnd(24)} ${METRICS[metric].label.padEnd(24)} ${text}${verdict}`;
  });
  const troubles = outcome.rows.flatMap(({ candidate, trouble }) =>
    trouble === undefined ? [] : [`  ${candidate}: ${trouble.split('\n')[0]}`],
  );
  return [
    `${scenario.name}: now over before, median (min–max) of the rounds`,
    ...lines,
    ...troubles,
    '',
  ].join('\n');
}

function isFirst<Value>(value: Value, index: number, all: readonly Value[]): boolean {
  return all.indexOf(value) === index;
}
