import { expect, test } from 'vitest';
import type { HistoryEvent } from './history-event.ts';
import { latencies } from './latencies.ts';

function exchange(id: number, sentAt: number, ms: number): HistoryEvent[] {
  const position = { epoch: 'e', offset: id };
  const sent = { type: 'inv', id: `${id}`, publisher: 'p', group: 'g', seq: id } as const;
  const got = { type: 'recv', id: `${id}`, member: 'm', group: 'g', position, intact: true } as const;
  return [
    { at: sentAt, ...sent },
    { at: sentAt + ms, ...got },
  ];
}

test('are the median, the p99 and the maximum', () => {
  const events = Array.from({ length: 100 }, (_, index) => exchange(index, index * 1_000, index + 1)).flat();
  expect(latencies(events)).toEqual({ count: 100, p50: 51, p99: 100, worst: 100 });
});

test('cover only messages that were sent within a period', () => {
  const events = [...exchange(1, 0, 500), ...exchange(2, 1_000, 5), ...exchange(3, 2_000, 700)];
  expect(latencies(events, 1_000, 2_000)).toEqual({ count: 1, p50: 5, p99: 5, worst: 5 });
});

test('are 0 without messages', () => {
  expect(latencies([])).toEqual({ count: 0, p50: 0, p99: 0, worst: 0 });
});
