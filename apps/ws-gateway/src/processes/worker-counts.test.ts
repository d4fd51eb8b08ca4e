import { expect, test } from 'vitest';
import { createCounters } from '../admin/gateway-stats.ts';
import type { WorkerReport } from './messages.ts';
import { EndedWorkers } from './worker-counts.ts';

function report(index: number, received: number, slow: number, trimmed: number): WorkerReport {
  const counters = createCounters();
  counters.received = received;
  counters.closed.slow = slow;
  const hub = { state: 'open', rejected: received, lost: { epoch_changed: 0, trimmed } };
  return { index, pid: 1, connections: 5, ...counters, hub } as unknown as WorkerReport;
}

test('the counters of a place are those of all workers that had it', () => {
  const ended = new EndedWorkers();
  ended.add(report(1, 10, 1, 2));
  ended.add(report(0, 3, 0, 0));
  ended.add(report(1, 20, 4, 1));
  const counts = ended.withRunning([report(1, 100, 0, 7), report(1, 1_000, 0, 0), report(2, 6, 0, 0)]);
  expect(counts.map(({ index, received }) => [index, received])).toEqual([
    [0, 3],
    [1, 1_130],
    [2, 6],
  ]);
  expect(counts[1]).toMatchObject({ closed: { slow: 5 }, hub: { rejected: 1_130, lost: { trimmed: 10 } } });
  expect(counts[1]).not.toHaveProperty('connections');
  expect(counts[1]?.hub).not.toHaveProperty('state');
});

test('a worker that ends changes no counter: its last report only moves', () => {
  const ended = new EndedWorkers();
  const last = report(0, 10, 1, 1);
  const before = ended.withRunning([last]);
  ended.add(last);
  expect(ended.withRunning([])).toEqual(before);
});
