import { expect, test } from 'vitest';
import { checkHistory } from './history/check-history.ts';
import { HistoryLog } from './history/history-log.ts';
import { ModelHistory } from './history/testing/model-history.ts';
import { Random } from './random.ts';
import { redness, Summary } from './summary.ts';

test('sums rounds up', () => {
  const summary = new Summary();
  const { events } = new ModelHistory(new Random(1));
  const verdict = checkHistory(events);
  const log = new HistoryLog();
  for (const { at: _, ...happening } of events) log.add(happening);
  for (const seed of [1, 2])
    summary.add({ seed, log, verdict, swallowed: [], phpEnded: [], closes: new Map() });
  summary.red.push({ seed: 3, how: 'unknown', what: [] });
  expect(summary.rounds).toBe(2);
  expect(summary.sum('received')).toBe(2 * verdict.counts.received);
  const text = String(summary);
  expect(text).toMatch(/^ {2}rounds {2,}2, of which red 1$/m);
  expect(text).toMatch(/^ {2}fault: hub killed {2,}2$/m);
  expect(text).toMatch(/^ {2}violations {2,}none$/m);
  expect(text).toMatch(/^ {2}gaps {2,}.*epoch_changed \d+/m);
});

test('a round is green only when it is valid and nothing was swallowed', () => {
  const verdict = checkHistory(new ModelHistory(new Random(1)).events);
  expect(redness(verdict, [])).toBeUndefined();
  expect(redness(verdict, ['m1: 1 of 2 in g'])).toBe('invalid');
  expect(redness({ ...verdict, valid: false }, [])).toBe('invalid');
  expect(redness(checkHistory([]), [])).toBe('unknown');
});
