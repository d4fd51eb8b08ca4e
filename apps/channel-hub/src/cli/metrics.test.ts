import { expect, test } from 'vitest';
import { createHub } from '../hub.ts';
import { hubMetrics } from './metrics.ts';
import { hubReport } from './stats.ts';

test('the metrics say what the report says, reasons as labels', async () => {
  const base = hubReport(createHub(), 'frame://127.0.0.1:2206', 1.5);
  const report = {
    ...base,
    sessions: 3,
    published: 7,
    closed: { slow: 2, peer_closed: 1 },
    refused: { channel_limit: 4 },
    engineChannels: 12,
    history: {
      publications: 20,
      bytes: 9_000,
      trimmed: { count: 5, age: 6, bytes: 0, total: 1 },
      reads: { recovered: 8, epoch_changed: 1, trimmed: 2 },
      messageIds: 30,
      messageIdsDropped: 3,
      duplicates: 9,
    },
  };
  const { contentType, body } = await hubMetrics(report);
  expect(contentType).toContain('text/plain');
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples).toEqual(
    expect.arrayContaining([
      'groupcast_hub_sessions 3',
      'groupcast_hub_published_total 7',
      'groupcast_hub_closed_total{reason="slow"} 2',
      'groupcast_hub_closed_total{reason="peer_closed"} 1',
      'groupcast_hub_refused_total{reason="channel_limit"} 4',
      'groupcast_hub_engine_channels 12',
      'groupcast_hub_history_publications 20',
      'groupcast_hub_history_bytes 9000',
      'groupcast_hub_history_trimmed_total{reason="count"} 5',
      'groupcast_hub_history_trimmed_total{reason="age"} 6',
      'groupcast_hub_history_trimmed_total{reason="bytes"} 0',
      'groupcast_hub_history_trimmed_total{reason="total"} 1',
      'groupcast_hub_history_reads_total{verdict="recovered"} 8',
      'groupcast_hub_history_reads_total{verdict="epoch_changed"} 1',
      'groupcast_hub_history_reads_total{verdict="trimmed"} 2',
      'groupcast_hub_message_ids 30',
      'groupcast_hub_message_ids_dropped_total 3',
      'groupcast_hub_duplicates_total 9',
    ]),
  );
  expect(samples.every((sample) => sample.startsWith('groupcast_hub_'))).toBe(true);
});
