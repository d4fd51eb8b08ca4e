import { expect, test } from 'vitest';
import type { Scenario } from '../scenario.ts';
import { report } from './report.ts';
import type { Results } from './results.ts';

const SCENARIO: Scenario = {
  name: 'one',
  title: 'One & only',
  metric: 'cpu',
  baseline: 'floor',
  checks: [
    { of: 'groupcast', metric: 'cpu', over: { candidate: 'floor', metric: 'cpu' }, most: 1.5 },
    { of: 'groupcast', metric: 'cpu', most: 6.5 },
  ],
  fresh: false,
  candidates: [],
};

function results(ours: readonly number[]): Results {
  return {
    outcomes: [
      {
        date: '2026-01-02',
        commit: 'abc',
        command: 'pnpm bench',
        machine: 'a machine',
        rounds: 3,
        scenario: 'one',
        rows: [
          { candidate: 'floor', version: 'C', rounds: [{ cpu: 4 }, { cpu: 5 }, { cpu: 6 }] },
          { candidate: 'groupcast', version: '1', rounds: ours.map((cpu) => ({ cpu })) },
          { candidate: 'other', version: '2', rounds: [null, null, null], trouble: 'skipped: needs cc' },
        ],
      },
    ],
  };
}

/** Returns the page without the line breaks of its list items. */
function pageOf(cpu: readonly number[]): string {
  return report(results(cpu), [SCENARIO]).page.replaceAll('\n  ', ' ');
}

test('medians, ratios within rounds, and whether the target is met', () => {
  const page = pageOf([6, 7, 6]);
  expect(page).toContain('| floor (C) | 1.00 (1.00–1.00) | 5.00 (4.00–6.00) |');
  expect(page).toContain('| **groupcast** (1) | 1.40 (1.00–1.50) | 6.00 (6.00–7.00) |');
  expect(page).toContain('| other (2) | – | – |');
  expect(page).toContain('other: skipped: needs cc.');
  expect(page).toContain(
    'at most 1.5 times floor (CPU-s per million) is wanted; 1.40 (1.00–1.50) is reached: met.',
  );
  expect(page).toContain('at most 6.5 CPU-s per million is wanted; 6.00 (6.00–7.00) is reached: met.');
  expect(page).toContain('3 rounds on 2026-01-02, commit abc, `pnpm bench`; a machine.');
});

test('a missed target is marked', () => {
  expect(pageOf([9, 9, 9])).toContain('1.80 (1.50–2.25) is reached: **missed**.');
});

test('a chart has a bar for each measured candidate, and its texts are escaped', () => {
  const chart = report(results([6, 7, 6]), [SCENARIO]).charts.get('one.svg') ?? '';
  expect(chart.match(/<rect/g)).toHaveLength(2);
  expect(chart).toContain('One &amp; only');
});
