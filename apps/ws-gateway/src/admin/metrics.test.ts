import { describe, expect, test } from 'vitest';
import { statusRows } from '../cli/status.ts';
import type { WorkerReport } from '../processes/messages.ts';
import { countsOf } from '../processes/worker-counts.ts';
import { createCounters } from './gateway-stats.ts';
import { gatewayMetrics } from './metrics.ts';
import type { PrimaryStats } from './stats.ts';

function workerOf(index: number, received: number): WorkerReport {
  const hub = {
    state: 'open',
    subjects: 1,
    subscriptionsRejected: 11,
    published: 0,
    delivered: 0,
    rejected: 7,
    bufferedBytes: 0,
    unanswered: 0,
    reconnects: 0,
    recoveries: 8,
    repeated: 0,
    holes: 0,
    positionLosses: 9,
    lost: { epoch_changed: 1, trimmed: 2 },
    historyReads: 0,
    historyWaiting: 0,
    skipped: 12,
    ephemeralDropped: 13,
  } as const;
  const process = {
    pid: 100 + index,
    state: 'up',
    uptimeSeconds: 1,
    memoryBytes: 3 * 1_024 * 1_024,
    loopDelayMs: 0.5,
  } as const;
  const counters = { ...createCounters(), received };
  counters.closed.slow = 2;
  counters.recoveries.trimmed = 3;
  counters.gaps = 6;
  const gauges = {
    connections: 5,
    authenticated: 2,
    bans: 3,
    groups: 1,
    users: 2,
    bufferedBytes: 0,
    recovering: 4,
    rejectedAddresses: [],
  };
  return { index, ...process, ...counters, ...gauges, hub };
}

const stats: PrimaryStats = {
  service: 'groupcast-gateway',
  version: '0.1.0',
  pid: 99,
  state: 'draining',
  listen: 'ws://127.0.0.1:1234',
  uptimeSeconds: 1,
  memoryBytes: 2 * 1_024 * 1_024,
  loopDelayMs: 0,
  restarts: 4,
  reload: { generation: 2, state: 'draining', asked: 5, done: 1, failed: 3, error: 'No.' },
  connections: 10,
  groups: 2,
  received: 30,
  delivered: 0,
  slots: [
    { index: 0, ...countsOf(workerOf(0, 10)) },
    { index: 1, ...countsOf(workerOf(1, 20)) },
  ],
  rejectedAddresses: [],
  workers: [workerOf(0, 10), workerOf(1, 20)],
};

describe('gatewayMetrics', () => {
  test('has a series for each worker, and the same values in each scrape', async () => {
    for (let scrape = 0; scrape < 2; scrape++) {
      const { body, contentType } = await gatewayMetrics(stats);
      expect(contentType).toContain('text/plain');
      expect(body).toContain('groupcast_gateway_connections{worker="0"} 5\n');
      expect(body).toContain('groupcast_gateway_received_total{worker="0"} 10\n');
      expect(body).toContain('groupcast_gateway_received_total{worker="1"} 20\n');
      expect(body).toContain('groupcast_gateway_closed_total{worker="1",reason="slow"} 2\n');
      expect(body).toContain('groupcast_gateway_recoveries_total{worker="1",reason="trimmed"} 3\n');
      expect(body).toContain('groupcast_gateway_handshakes_rejected_total{worker="1",reason="rate"} 0\n');
      expect(body).toContain('groupcast_gateway_hub_link_up{worker="1"} 1\n');
      expect(body).toContain('groupcast_gateway_publishes_rejected_total{worker="0"} 7\n');
      expect(body).toContain('groupcast_gateway_catching_up{worker="0"} 4\n');
      expect(body).toContain('groupcast_gateway_recoveries_total{worker="0",reason="trimmed"} 3\n');
      expect(body).toContain('groupcast_gateway_gaps_total{worker="1"} 6\n');
      expect(body).toContain('groupcast_gateway_hub_recoveries_total{worker="1"} 8\n');
      expect(body).toContain('groupcast_gateway_hub_position_losses_total{worker="1"} 9\n');
      expect(body).toContain('groupcast_gateway_hub_ephemeral_dropped_total{worker="1"} 13\n');
      expect(body).toContain('groupcast_gateway_hub_skipped_frames_total{worker="1"} 12\n');
      expect(body).toContain('groupcast_gateway_hub_subscriptions_rejected_total{worker="1"} 11\n');
      expect(body).toContain('groupcast_gateway_hub_lost_total{worker="1",reason="trimmed"} 2\n');
      expect(body).toContain('groupcast_gateway_reloads_total{outcome="done"} 1\n');
      expect(body).toContain('groupcast_gateway_reloads_total{outcome="failed"} 3\n');
      expect(body).toContain('groupcast_gateway_reloading 1\n');
      expect(body).toContain('groupcast_gateway_workers 2\n');
      expect(body).toContain('groupcast_gateway_worker_restarts_total 4\n');
    }
  });
});

test('two workers in one place are one series: gauges are added, or the worse one counts', async () => {
  const old = {
    ...workerOf(0, 10),
    loopDelayMs: 250,
    hub: { ...workerOf(0, 10).hub, state: 'waiting' },
  } as const;
  const { body } = await gatewayMetrics({ ...stats, workers: [old, workerOf(0, 0), workerOf(1, 20)] });
  expect(body).toContain('groupcast_gateway_connections{worker="0"} 10\n');
  expect(body).toContain('groupcast_gateway_event_loop_delay_p99_seconds{worker="0"} 0.25\n');
  expect(body).toContain('groupcast_gateway_event_loop_delay_p99_seconds{worker="1"} 0.0005\n');
  expect(body).toContain('groupcast_gateway_hub_link_up{worker="0"} 0\n');
  expect(body).toContain('groupcast_gateway_workers 3\n');
});

test('the versions and the process of the primary', async () => {
  const cpu = { name: 'process_cpu_seconds_total', type: 'counter', help: 'CPU.', value: 1.5 } as const;
  const { body } = await gatewayMetrics(stats, [], [cpu]);
  expect(body).toContain(`groupcast_gateway_build_info{version="0.1.0",node="${process.version}"} 1\n`);
  expect(body).toContain('process_cpu_seconds_total 1.5\n');
});

describe('statusRows', () => {
  test('the primary with the sums, then each worker', () => {
    expect(statusRows(stats)).toEqual([
      [99, 'primary', '0.1.0', '1s', 'ws://127.0.0.1:1234', 10, 2, 30, 0, 2, 0, '', 'draining'],
      [100, 'worker', '0.1.0', '1s', 'ws://127.0.0.1:1234', 5, 1, 10, 0, 3, 0.5, 'open', 'up'],
      [101, 'worker', '0.1.0', '1s', 'ws://127.0.0.1:1234', 5, 1, 20, 0, 3, 0.5, 'open', 'up'],
    ]);
  });

  test('a gateway that reloads shows it, unless it is draining', () => {
    const stateOf = (shown: PrimaryStats): unknown => statusRows(shown)[0]?.at(-1);
    expect(stateOf({ ...stats, state: 'up' })).toBe('reloading');
    expect(stateOf({ ...stats, state: 'up', reload: { ...stats.reload, state: 'idle' } })).toBe('up');
    expect(stateOf(stats)).toBe('draining');
  });
});
