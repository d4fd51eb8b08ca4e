import { expect, test } from 'vitest';
import type { Outcome, Row } from '../rounds.ts';
import type { Candidate, Measured, Scenario } from '../scenario.ts';
import { compare, comparisonText, pairedScenario } from './comparison.ts';

function candidate(name: string, version: string, isOurs: boolean): Candidate {
  return { name, version, isOurs, start: () => Promise.reject(new Error('Nothing is measured here.')) };
}

function scenario(version: string): Scenario {
  const candidates = [candidate('floor', 'C', false), candidate('groupcast', version, true)];
  return {
    name: 'one',
    title: 'One',
    metric: 'cpu',
    baseline: 'floor',
    checks: [],
    fresh: false,
    candidates,
  };
}

function row(name: string, rounds: readonly (Measured | null)[]): Row {
  return { candidate: name, version: '', rounds };
}

function outcome(before: readonly (Measured | null)[], now: readonly (Measured | null)[]): Outcome {
  return { scenario: 'one', rows: [row('groupcast, before', before), row('groupcast', now)] };
}

test('each candidate of this project is beside its twin of the other checkout, without peers', () => {
  const { candidates } = pairedScenario(scenario('new'), scenario('old'));
  expect(candidates.map(({ name, version }) => [name, version])).toEqual([
    ['groupcast, before', 'old'],
    ['groupcast', 'new'],
  ]);
});

test('a candidate that the other checkout does not have is not compared', () => {
  expect(pairedScenario(scenario('new'), { ...scenario('old'), candidates: [] }).candidates).toEqual([]);
});

test('the median of the ratios round by round, with the least and the most, is judged for the metric of the scenario', () => {
  const before = [{ cpu: 1, p99: 2 }, { cpu: 2, p99: 2 }, null, { cpu: 4, p99: 2 }];
  const now = [
    { cpu: 1.05, p99: 8 },
    { cpu: 1.8, p99: 6 },
    { cpu: 9, p99: 9 },
    { cpu: 8, p99: 4 },
  ];
  expect(compare(scenario(''), outcome(before, now))).toEqual([
    { candidate: 'groupcast', metric: 'cpu', ratio: { median: 1.05, min: 0.9, max: 2 }, isMet: true },
    { candidate: 'groupcast', metric: 'p99', ratio: { median: 3, min: 2, max: 4 } },
  ]);
});

test('an increase above a twentieth fails, and so does a missing measurement', () => {
  const verdicts = (before: readonly (Measured | null)[], now: readonly (Measured | null)[]): unknown[] =>
    compare(scenario(''), outcome(before, now)).map(({ isMet }) => isMet);
  expect(verdicts([{ cpu: 100 }], [{ cpu: 106 }])).toEqual([false]);
  expect(verdicts([null], [null])).toEqual([false]);
});

test('the text has the ratio, the verdict and the errors', () => {
  const rows = [
    row('groupcast, before', [{ cpu: 2 }]),
    { ...row('groupcast', [{ cpu: 4 }]), trouble: 'It\nended' },
  ];
  const text = comparisonText(scenario(''), { scenario: 'one', rows });
  expect(text).toMatch(/groupcast +CPU-s per million +2\.000 \(2\.000–2\.000\) {2}at most 1\.05: MISSED\n/);
  expect(text).toContain('  groupcast: It\n');
});
