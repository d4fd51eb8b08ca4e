import { expect, test } from 'vitest';
import { processMetrics } from './process-metrics.ts';

test('the metrics of a process have the shared names and base units', () => {
  const metrics = new Map(processMetrics().map(({ name, value }) => [name, value]));
  const nowSeconds = Date.now() / 1_000;
  const start = metrics.get('process_start_time_seconds') ?? 0;
  expect(start).toBeGreaterThan(nowSeconds - 24 * 3_600);
  expect(start).toBeLessThanOrEqual(nowSeconds + 1);
  expect(metrics.get('process_cpu_seconds_total')).toBeGreaterThan(0);
  expect(metrics.get('process_resident_memory_bytes')).toBeGreaterThan(1_000_000);
  expect(metrics.get('nodejs_heap_size_used_bytes')).toBeGreaterThan(1_000_000);
  expect(metrics.get('nodejs_external_memory_bytes')).toBeGreaterThan(0);
});

test.runIf(process.platform === 'linux')('Linux tells the open files and their limit', () => {
  const metrics = new Map(processMetrics().map(({ name, value }) => [name, value]));
  expect(metrics.get('process_open_fds')).toBeGreaterThan(0);
  expect(metrics.has('process_max_fds')).toBe(true);
});
