import { expect, test } from 'vitest';
import { createHub } from '../hub.ts';
import { hubMetrics } from './metrics.ts';
import { hubReport } from './stats.ts';

test('the metrics have the values of the report, with reasons as labels', async () => {
  const base = hubReport(createHub(), 'frame://127.0.0.1:2206', 1.5);
  const report = {
    ...base,
    connectedPeers: 3,
    published: 7,
    closed: { slow: 2, peer_closed: 1 },
    rejected: { channel_limit: 4 },
    engineChannels: 12,
    ephemeralDropped: 71,
    skippedFrames: 72,
    queues: {
      queues: 2,
      waiting: 31,
      leased: 4,
      bytes: 8_192,
      oldestMs: 1_500,
      enqueued: 41,
      rejected: 42,
      done: 43,
      failed: 44,
      expired: 45,
      redelivered: 46,
      dead: 47,
      deadDropped: 48,
      duplicates: 481,
      messageIds: 482,
      messageIdsDropped: 483,
    },
    keyed: { keys: 61, bytes: 62, rejected: 63, expired: 64 },
    php: { lossy: 51, tooLong: 52, unheard: 53, systemGroups: 54 },
    history: {
      publications: 20,
      bytes: 9_000,
      trimmed: { count: 5, age: 6, bytes: 0, total: 1 },
      reads: { recovered: 8, epoch_changed: 1, trimmed: 2, snapshot: 3 },
      channelsDropped: 4,
      positions: 40,
      positionsDropped: 41,
      slabBytes: 48,
      messageIds: 30,
      messageIdsDropped: 3,
      duplicates: 9,
    },
  };
  const certificates = [{ flag: '--tls-cert-file', path: '/cert', fromMs: 0, untilMs: 1_900_000_000_000 }];
  const { contentType, body } = await hubMetrics(report, certificates);
  expect(contentType).toContain('text/plain');
  const samples = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(samples).toEqual(
    expect.arrayContaining([
      'groupcast_hub_peers 3',
      'groupcast_hub_event_loop_delay_p99_seconds 0.0015',
      `groupcast_hub_build_info{version="${report.version}",node="${process.version}"} 1`,
      expect.stringMatching(/^process_cpu_seconds_total [0-9.]+$/),
      expect.stringMatching(/^nodejs_external_memory_bytes [0-9]+$/),
      'groupcast_hub_certificate_expiry_timestamp_seconds{option="tls-cert-file"} 1900000000',
      'groupcast_hub_history_slab_bytes 48',
      'groupcast_hub_published_total 7',
      'groupcast_hub_closed_total{reason="slow"} 2',
      'groupcast_hub_closed_total{reason="peer_closed"} 1',
      'groupcast_hub_rejected_total{reason="channel_limit"} 4',
      'groupcast_hub_engine_channels 12',
      'groupcast_hub_ephemeral_dropped_total 71',
      'groupcast_hub_skipped_frames_total 72',
      'groupcast_hub_history_publications 20',
      'groupcast_hub_history_bytes 9000',
      'groupcast_hub_history_trimmed_total{reason="count"} 5',
      'groupcast_hub_history_trimmed_total{reason="age"} 6',
      'groupcast_hub_history_trimmed_total{reason="bytes"} 0',
      'groupcast_hub_history_trimmed_total{reason="total"} 1',
      'groupcast_hub_history_channels_dropped_total 4',
      'groupcast_hub_history_positions 40',
      'groupcast_hub_history_positions_dropped_total 41',
      'groupcast_hub_history_reads_total{verdict="recovered"} 8',
      'groupcast_hub_history_reads_total{verdict="epoch_changed"} 1',
      'groupcast_hub_history_reads_total{verdict="trimmed"} 2',
      'groupcast_hub_message_ids 30',
      'groupcast_hub_message_ids_dropped_total 3',
      'groupcast_hub_duplicates_total 9',
      'groupcast_hub_keyed_values 61',
      'groupcast_hub_keyed_bytes 62',
      'groupcast_hub_keyed_rejected_total 63',
      'groupcast_hub_keyed_expired_total 64',
      'groupcast_hub_php_lossy_values_total 51',
      'groupcast_hub_php_too_long_total 52',
      'groupcast_hub_php_unheard_total 53',
      'groupcast_hub_php_system_groups_total 54',
      'groupcast_hub_queues 2',
      'groupcast_hub_queue_items_waiting 31',
      'groupcast_hub_queue_items_leased 4',
      'groupcast_hub_queue_item_bytes 8192',
      'groupcast_hub_queue_oldest_item_age_seconds 1.5',
      'groupcast_hub_queue_enqueued_total 41',
      'groupcast_hub_queue_rejected_total 42',
      'groupcast_hub_queue_duplicates_total 481',
      'groupcast_hub_queue_message_ids 482',
      'groupcast_hub_queue_message_ids_dropped_total 483',
      'groupcast_hub_queue_done_total 43',
      'groupcast_hub_queue_failed_total 44',
      'groupcast_hub_queue_expired_total 45',
      'groupcast_hub_queue_redelivered_total 46',
      'groupcast_hub_queue_dead_total 47',
      'groupcast_hub_queue_dead_dropped_total 48',
    ]),
  );
  expect(samples.every((sample) => /^(groupcast_hub|process|nodejs)_/.test(sample))).toBe(true);
});

test('the counters of a hub without ends and rejections are 0, so that an alert sees the first one', async () => {
  const hub = createHub();
  const { body } = await hubMetrics(hubReport(hub, 'frame://127.0.0.1:2206', 1.5));
  for (const reason of ['slow', 'evicted', 'late', 'bad_frame', 'peer_closed']) {
    expect(body).toContain(`\ngroupcast_hub_closed_total{reason="${reason}"} 0\n`);
  }
  for (const code of ['channel_limit', 'queue_full', 'unsupported', 'keys_full']) {
    expect(body).toContain(`\ngroupcast_hub_rejected_total{reason="${code}"} 0\n`);
  }
  expect(body).not.toContain('group_limit');
  // What the API reports stays short.
  expect(hub.stats()).toMatchObject({ closed: {}, rejected: {} });
});
