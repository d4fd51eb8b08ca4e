import { readdirSync } from 'node:fs';
import { openFilesMax } from './open-files.ts';

/** One metric without labels, in base units: seconds and bytes. */
export interface ProcessMetric {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly value: number;
}

const MICROSECONDS_PER_SECOND = 1_000_000;

/**
 * Returns the metrics of this process under the names that Prometheus clients share. Metrics that
 * the system does not tell are left out.
 */
export function processMetrics(): readonly ProcessMetric[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  const gauges: readonly (readonly [name: string, help: string, value: number | undefined])[] = [
    ['process_start_time_seconds', 'Start of the process, in Unix time.', startSeconds()],
    ['process_resident_memory_bytes', 'Resident memory.', rss],
    ['process_open_fds', 'Open file descriptors.', openFiles()],
    ['process_max_fds', 'Limit of open file descriptors.', finite(openFilesMax())],
    ['nodejs_heap_size_used_bytes', 'Used heap of V8.', heapUsed],
    ['nodejs_heap_size_total_bytes', 'Allocated heap of V8.', heapTotal],
    ['nodejs_external_memory_bytes', 'Memory of buffers and other objects outside the heap.', external],
    ['nodejs_array_buffers_bytes', 'Memory of array buffers, part of the external memory.', arrayBuffers],
  ];
  const cpu = (user + system) / MICROSECONDS_PER_SECOND;
  return [
    { name: 'process_cpu_seconds_total', type: 'counter', help: 'CPU time, user and system.', value: cpu },
    ...gauges.flatMap(([name, help, value]) =>
      value === undefined ? [] : [{ name, type: 'gauge' as const, help, value }],
    ),
  ];
}

function startSeconds(): number {
  return Math.round(Date.now() / 1_000 - process.uptime());
}

function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    // Only Linux has this folder.
    return undefined;
  }
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}
