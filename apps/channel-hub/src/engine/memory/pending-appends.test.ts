import { expect, test } from 'vitest';
import { Slabs } from './blocks/slabs.ts';
import { ChannelHistory } from './channel-history.ts';
import { type AppendTarget, PendingAppends } from './pending-appends.ts';

const slabs = new Slabs(1_000_000);
const bounds = { countMax: 10, ageMs: 1_000, bytesMax: 10_000, togetherMs: 10 };

function channel(name: string): ChannelHistory {
  return new ChannelHistory(name, 0, bounds, slabs);
}

/** Records the appends. */
class Recorder implements AppendTarget {
  readonly events: string[] = [];

  append(
    history: ChannelHistory,
    bytes: Uint8Array,
    start: number,
    end: number,
    count: number,
    nowMs: number,
  ): void {
    const text = Buffer.from(bytes.subarray(start, end)).toString();
    this.events.push(`${history.channel}: ${count} ${text} at ${nowMs}`);
  }
  appended(history: ChannelHistory, nowMs: number): void {
    this.events.push(`${history.channel} appended at ${nowMs}`);
  }
}

test('pending publications are appended channel by channel, in order, neighbours together', () => {
  const a = channel('a');
  const b = channel('b');
  const one = Buffer.from('0123456789');
  const other = Buffer.from('abcdefghij');
  const arrivals = new PendingAppends();
  for (let round = 0; round < 2; round++) {
    expect(arrivals.isEmpty).toBe(true);
    arrivals.add(a, one, 0, 2, 1, 10);
    arrivals.add(a, one, 2, 4, 2, 10);
    arrivals.add(b, one, 4, 6, 1, 11);
    arrivals.add(a, one, 6, 8, 1, 12);
    // It starts where the last one ended, but in other bytes.
    arrivals.add(a, other, 8, 10, 1, 13);
    const recorder = new Recorder();
    arrivals.flushTo(recorder);
    expect(recorder.events).toEqual([
      'a: 3 0123 at 10',
      'a: 1 67 at 12',
      'a: 1 ij at 13',
      'a appended at 13',
      'b: 1 45 at 11',
      'b appended at 11',
    ]);
  }
});

test('it is full when it keeps too much memory alive, with any number of bytes', () => {
  const arrivals = new PendingAppends();
  let added = 0;
  while (!arrivals.isFull) {
    const read = Buffer.allocUnsafeSlow(65_536);
    // Two publications of one read count once.
    arrivals.add(channel(`a${added}`), read, 0, 30, 1, 0);
    arrivals.add(channel(`b${added}`), read, 30, 60, 1, 0);
    added += 1;
  }
  expect(added).toBe(16);
  arrivals.flushTo(new Recorder());
  expect(arrivals.isFull).toBe(false);
});

test('it is full when it has many entries', () => {
  const arrivals = new PendingAppends();
  const streams = [channel('a'), channel('b')] as const;
  const read = Buffer.allocUnsafeSlow(1_000_000);
  let added = 0;
  for (; !arrivals.isFull; added++) arrivals.add(streams[added % 2 ? 1 : 0], read, added, added + 1, 1, 0);
  expect(added).toBe(8_192);
});
