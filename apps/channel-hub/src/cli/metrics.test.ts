import { expect, test } from 'vitest';
import { createHub } from '../hub.ts';
import { hubMetrics } from './metrics.ts';
import { hubReport } from './stats.ts';

test('the metrics say what the report says, reasons as labels', async () => {
  const report = {
    ...hubReport(createHub(), 'frame://127.0.0.1:2206', 1.5),
    sessions: 3,
    published: 7,
    closed: { slow: 2, peer_closed: 1 },
    refused: { channel_limit: 4 },
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
    ]),
  );
  expect(samples.every((sample) => sample.startsWith('groupcast_hub_'))).toBe(true);
});
