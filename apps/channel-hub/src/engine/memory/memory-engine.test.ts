import { setImmediate as nextTurn } from 'node:timers/promises';
import { native, type Position } from '@groupcast/protocol';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { type Harness, publicationOf, startEngine, textOf } from '../../../testing/engine-harness.ts';
import { LateEngine } from '../../../testing/late-engine.ts';
import { engineSuite } from '../suite/engine-suite.ts';
import { KEYED_HISTORY, keyedSuite } from '../suite/keyed-suite.ts';
import { blockBytes } from './blocks/block.ts';
import { CHANNEL_BYTES } from './history.ts';
import type { HistoryLimits } from './history-limits.ts';
import { POSITION_BYTES } from './kept-positions.ts';
import { MemoryEngine } from './memory-engine.ts';

engineSuite('MemoryEngine', () => new MemoryEngine());
engineSuite('an engine that answers late', () => new LateEngine(new MemoryEngine()));
keyedSuite('MemoryEngine', (valuesMax) => new MemoryEngine(KEYED_HISTORY, { keyed: { valuesMax } }));
keyedSuite(
  'an engine that answers late',
  (valuesMax) => new LateEngine(new MemoryEngine(KEYED_HISTORY, { keyed: { valuesMax } })),
);

const HOUR_MS = 3_600_000;
const AGE_MS = 120_000;

function subject(name: string): native.Subject {
  return { name, prefix: false };
}

function startMemory(limits: Partial<HistoryLimits> = {}): Promise<Harness> {
  return startEngine(() => new MemoryEngine(limits));
}

/** Returns the texts after a position, or the verdict if it is not recovered. */
async function missed(engine: Harness, channel: string, since: Position): Promise<string[] | string> {
  const { verdict, frames } = await engine.history(channel, since);
  return verdict === 'recovered' ? frames.map(textOf) : verdict;
}

function at(position: Position, count: number): Position {
  return { epoch: position.epoch, offset: position.offset + count };
}

beforeEach(() => {
  // Fakes the engine's clock and its ticker; event-loop turns are real.
  vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
  return () => {
    vi.useRealTimers();
  };
});

describe('the limits of one channel', () => {
  test('count: exactly the newest are kept', async () => {
    const engine = await startMemory({ countMax: 3 });
    const before = await engine.position('c');
    for (const text of ['a', 'b', 'c', 'd', 'e']) await engine.publish('c', text);
    expect(await missed(engine, 'c', at(before, 1))).toBe('trimmed');
    expect(await missed(engine, 'c', at(before, 2))).toEqual(['c', 'd', 'e']);
    expect(engine.stats().history).toMatchObject({ publications: 3, trimmed: { count: 2, bytes: 0 } });
  });

  test('count 0 keeps only the position of each channel', async () => {
    const engine = await startMemory({ countMax: 0 });
    const before = await engine.position('c');
    const position = await engine.publish('c', 'a');
    expect(position).toEqual(at(before, 1));
    expect(await missed(engine, 'c', before)).toBe('trimmed');
    expect(await missed(engine, 'c', position)).toEqual([]);
  });

  test('bytes: the newest is kept, even if it exceeds the limit', async () => {
    const engine = await startMemory({ bytesMax: 1_000 });
    const before = await engine.position('c');
    await engine.publish('c', 'x'.repeat(400));
    await engine.publish('c', 'y'.repeat(400));
    expect(engine.stats().history.publications).toBe(2);
    await engine.publish('c', 'z'.repeat(400));
    expect(await missed(engine, 'c', before)).toBe('trimmed');
    expect(await missed(engine, 'c', at(before, 1))).toHaveLength(2);
    await engine.publish('c', 'x'.repeat(2_000));
    expect(await missed(engine, 'c', at(before, 2))).toBe('trimmed');
    expect(await missed(engine, 'c', at(before, 3))).toEqual(['x'.repeat(2_000)]);
    await engine.publish('c', 'a');
    expect(await missed(engine, 'c', at(before, 3))).toBe('trimmed');
    expect(await missed(engine, 'c', at(before, 4))).toEqual(['a']);
    expect(engine.stats().history.trimmed).toEqual({ count: 0, age: 0, bytes: 4, total: 0 });
  });

  test('bytes: 0 keeps nothing', async () => {
    const engine = await startMemory({ bytesMax: 0 });
    const before = await engine.position('c');
    await engine.publish('c', 'a');
    expect(await missed(engine, 'c', before)).toBe('trimmed');
  });

  test('age: expired publications are not recovered, with or without newer ones', async () => {
    const engine = await startMemory();
    await engine.subscribe(subject('c'));
    const before = await engine.position('c');
    await engine.publish('c', 'a');
    vi.advanceTimersByTime(AGE_MS / 2);
    await engine.publish('c', 'b');
    vi.advanceTimersByTime(AGE_MS / 2);
    expect(await missed(engine, 'c', before)).toEqual(['a', 'b']);
    vi.advanceTimersByTime(1);
    expect(await missed(engine, 'c', before)).toBe('trimmed');
    expect(await missed(engine, 'c', at(before, 1))).toEqual(['b']);
    expect(engine.stats().history.trimmed).toEqual({ count: 0, age: 1, bytes: 0, total: 0 });
  });
});

describe('channels with ages of their own', () => {
  const dayLong = { ageMs: 24 * HOUR_MS };
  const hourLong = { ageMs: HOUR_MS };
  const boundsOf = (channel: string) => ({ day: dayLong, hour: hourLong })[channel];

  test('expire each at its age, whichever was used last', async () => {
    const engine = await startMemory();
    engine.boundHistory(boundsOf);
    for (const channel of ['day', 'hour', 'c']) await engine.publish(channel, 'x');
    const kept = async (): Promise<number> => engine.stats().history.publications;
    vi.advanceTimersByTime(AGE_MS - 1_000);
    expect(await kept()).toBe(3);
    vi.advanceTimersByTime(2_000);
    expect(await kept()).toBe(2);
    vi.advanceTimersByTime(HOUR_MS);
    expect(await kept()).toBe(1);
    vi.advanceTimersByTime(22 * HOUR_MS);
    expect(await kept()).toBe(1);
    vi.advanceTimersByTime(HOUR_MS);
    expect(engine.stats()).toMatchObject({ channels: 0, history: { publications: 0 } });
  });

  test('of one channel: a read after hours has what did not expire', async () => {
    const engine = await startMemory();
    engine.boundHistory(boundsOf);
    const before = await engine.position('day');
    await engine.publish('day', 'a');
    vi.advanceTimersByTime(12 * HOUR_MS);
    await engine.publish('day', 'b');
    expect(await missed(engine, 'day', before)).toEqual(['a', 'b']);
    vi.advanceTimersByTime(12 * HOUR_MS + 1);
    expect(await missed(engine, 'day', before)).toBe('trimmed');
    expect(await missed(engine, 'day', at(before, 1))).toEqual(['b']);
  });

  test('have positions of the same ages: a quiet one recovers after hours', async () => {
    const engine = await startMemory();
    engine.boundHistory(boundsOf);
    await engine.publish('before', 'x');
    const told = new Map<string, Position>();
    for (const channel of ['c', 'hour', 'day']) told.set(channel, await engine.position(channel));
    // Forgotten channels raise the floor.
    for (let count = 0; count < 10; count++) await engine.publish('before', 'x');
    const recovered = async (channel: string) => missed(engine, channel, told.get(channel) as Position);
    vi.advanceTimersByTime(HOUR_MS / 2);
    expect(await recovered('c')).toBe('trimmed');
    expect(await recovered('hour')).toEqual([]);
    // Read again just now.
    vi.advanceTimersByTime(HOUR_MS - 1);
    expect(await recovered('hour')).toEqual([]);
    vi.advanceTimersByTime(20 * HOUR_MS);
    expect(await recovered('hour')).toBe('trimmed');
    expect(await engine.publish('day', 'a')).toEqual(at(told.get('day') as Position, 1));
    expect(await recovered('day')).toEqual(['a']);
  });

  test('have positions of many ages within one limit', async () => {
    const engine = await startMemory({ totalBytesMax: 1024 * 1024 });
    const ages = Array.from({ length: 8 }, (_, index) => ({ ageMs: AGE_MS * 2 ** index }));
    engine.boundHistory((channel) => ages[Number(channel.split(':')[1]) % 8]);
    for (let index = 0; index < 10_000; index++) await engine.position(`group:${index}`);
    const { history } = engine.stats();
    expect(history.bytes).toBeLessThanOrEqual(128 * 1024);
    expect(history.positionsDropped).toBeGreaterThan(8_000);
    vi.advanceTimersByTime(AGE_MS * 2 ** 7 * 1.25);
    expect(engine.stats().history).toMatchObject({ positions: 0, bytes: 0 });
  });

  test('that change: a longer one begins before the old one has passed, a shorter one at once', async () => {
    const engine = await startMemory();
    const positions = new Map<string, Position>();
    for (const channel of ['day', 'hour']) positions.set(channel, await engine.position(channel));
    for (const channel of ['day', 'hour']) await engine.publish(channel, 'x');
    engine.boundHistory(boundsOf);
    vi.advanceTimersByTime(HOUR_MS / 2);
    expect(engine.stats().history.publications).toBe(2);
    engine.boundHistory(() => undefined);
    expect(engine.stats().history).toMatchObject({ publications: 0, trimmed: { age: 2 } });
  });

  test('that change for many channels: no event-loop turn looks at more than 1,000', async () => {
    const engine = await startMemory();
    for (let index = 0; index < 2_500; index++) await engine.publish(`group:${index}`, 'x');
    const turns: number[] = [];
    let asked = 0;
    engine.boundHistory(() => {
      asked += 1;
      return dayLong;
    });
    while (asked < 2_500) {
      turns.push(asked);
      await nextTurn();
    }
    expect(turns).toEqual([1_000, 2_000]);
    vi.advanceTimersByTime(2 * AGE_MS);
    expect(engine.stats().history.publications).toBe(2_500);
  });

  test('above the total limit the least recently used of all ages are dropped first', async () => {
    const engine = await startMemory({ totalBytesMax: 64 * 1024 });
    engine.boundHistory((channel) => (channel === 'old' ? dayLong : undefined));
    const before = await engine.position('old');
    await engine.publish('old', 'x');
    for (let index = 0; index < 200; index++) {
      vi.advanceTimersByTime(1);
      await engine.publish(`new:${index}`, 'x'.repeat(500));
    }
    expect(await missed(engine, 'old', before)).toBe('trimmed');
    expect(engine.stats().history.bytes).toBeLessThanOrEqual(64 * 1024);
  });
});

describe('an idle channel', () => {
  test('after an hour recovers a brief disconnect, with later publications', async () => {
    const engine = await startMemory();
    await engine.subscribe(subject('c'));
    await engine.publish('c', 'long ago');
    const position = await engine.position('c');
    vi.advanceTimersByTime(HOUR_MS);
    expect(engine.stats().history.publications).toBe(0);
    await engine.unsubscribe(subject('c'));
    vi.advanceTimersByTime(AGE_MS - 1_000);
    expect(await missed(engine, 'c', position)).toEqual([]);
    await engine.publish('c', 'now');
    expect(await engine.subscribe(subject('c'))).toEqual(at(position, 1));
    expect(await missed(engine, 'c', position)).toEqual(['now']);
  });

  test('that is read repeatedly does not keep other channels from being forgotten', async () => {
    const engine = await startMemory();
    await engine.subscribe(subject('c'));
    await engine.publish('c', 'old');
    await engine.publish('other', 'x');
    const position = await engine.position('c');
    for (let half = 0; half < 6; half++) {
      vi.advanceTimersByTime(AGE_MS / 2 + 1);
      await missed(engine, 'c', position);
    }
    expect(engine.stats()).toMatchObject({ channels: 1, history: { publications: 0 } });
  });

  test('is forgotten when it was not subscribed for longer than history is kept', async () => {
    const engine = await startMemory();
    for (const name of ['a', 'b', 'c']) {
      await engine.subscribe(subject(name));
      await engine.publish(name, 'x', { messageId: name });
    }
    vi.advanceTimersByTime(HOUR_MS);
    expect(engine.stats()).toMatchObject({ channels: 3, history: { publications: 0, messageIds: 0 } });
    for (const name of ['a', 'b', 'c']) await engine.unsubscribe(subject(name));
    vi.advanceTimersByTime(AGE_MS);
    // The positions of the three, and the publication of the harness.
    expect(engine.stats()).toMatchObject({ channels: 1, history: { positions: 3 } });
    vi.advanceTimersByTime(AGE_MS / 8 + 1_000);
    expect(engine.stats()).toMatchObject({
      channels: 0,
      history: { publications: 0, positions: 0, bytes: 0 },
    });
  });

  test('that was forgotten continues after all its offsets, and rejects an old position', async () => {
    const engine = await startMemory();
    const old = await engine.position('c');
    for (const text of ['a', 'b', 'c']) await engine.publish('c', text);
    for (let count = 0; count < 10; count++) await engine.publish('busier', 'x');
    vi.advanceTimersByTime(AGE_MS + 1_000);
    expect(engine.stats().channels).toBe(0);
    const now = await engine.position('c');
    expect(now.offset).toBeGreaterThanOrEqual(old.offset + 10);
    for (const count of [0, 1, 2, 3]) expect(await missed(engine, 'c', at(old, count))).toBe('trimmed');
    expect(await missed(engine, 'c', now)).toEqual([]);
  });

  test('that was forgotten recovers its last position', async () => {
    const engine = await startMemory();
    const position = await engine.publish('c', 'a');
    vi.advanceTimersByTime(AGE_MS + 1_000);
    expect(engine.stats().channels).toBe(0);
    expect(await missed(engine, 'c', position)).toEqual([]);
  });

  test('keeps a returned position while other channels come and go', async () => {
    const engine = await startMemory();
    await engine.publish('before', 'x');
    const position = await engine.position('quiet');
    for (let count = 0; count < 5; count++) await engine.publish('before', 'x');
    vi.advanceTimersByTime(AGE_MS - 1_000);
    expect(await missed(engine, 'quiet', position)).toEqual([]);
    vi.advanceTimersByTime(AGE_MS - 1_000);
    expect(engine.stats().channels).toBe(0);
    await engine.publish('quiet', 'a');
    expect(await missed(engine, 'quiet', position)).toEqual(['a']);
  });
});

test('a million ephemeral publications to unknown channels leave no memory', async () => {
  const engine = await startMemory();
  const publication = { ...publicationOf('', 'x'), ephemeral: true };
  const frame = native.encodePublish({ ...publication, channel: 'c' });
  for (let index = 0; index < 1_000_000; index++) {
    engine.publishWith({ ...publication, channel: `group:${index}` }, frame, index % 2);
  }
  expect(engine.stats()).toMatchObject({ channels: 0, history: { positions: 0, bytes: 0, messageIds: 0 } });
});

test('the answer to an ephemeral publication does not prolong the time of a position', async () => {
  const engine = await startMemory();
  await engine.publish('before', 'x');
  await engine.position('quiet');
  for (let minutes = 0; minutes < 3; minutes++) {
    vi.advanceTimersByTime(AGE_MS / 2 + 10_000);
    await engine.publish('quiet', 'x', { ephemeral: true });
  }
  expect(engine.stats().history.positions).toBe(0);
});

describe('a read of an unused channel', () => {
  test('costs no history, and drops none of other channels', async () => {
    const engine = await startMemory({ totalBytesMax: 4 * 1024 * 1024 });
    const before = await engine.position('c');
    for (let index = 0; index < 1_000; index++) await engine.publish('c', 'x'.repeat(1_000));
    for (let index = 0; index < 30_000; index++) await engine.position(`group:${index}`);
    expect(await missed(engine, 'c', before)).toHaveLength(63);
    const { channels, history } = engine.stats();
    expect(channels).toBe(1);
    expect(history.trimmed.total).toBe(0);
    // Of 30,000 names, only an eighth of the limit is kept.
    expect(history.bytes).toBeLessThan(2 * 1024 * 1024);
    expect(history.positionsDropped).toBeGreaterThan(20_000);
  });

  test('returns the same position each time, and the channel starts there', async () => {
    const engine = await startMemory();
    await engine.publish('before', 'x');
    const told = await engine.position('quiet');
    // Another forgotten channel raises the floor.
    for (let count = 0; count < 10; count++) await engine.publish('before', 'x');
    vi.advanceTimersByTime(AGE_MS - 2_000);
    expect(await engine.position('quiet')).toEqual(told);
    vi.advanceTimersByTime(AGE_MS - 2_000);
    expect(engine.stats()).toMatchObject({ channels: 0, history: { positions: 1 } });
    expect((await engine.position('other')).offset).toBe(11);
    expect(await engine.publish('quiet', 'a')).toEqual(at(told, 1));
    expect(engine.stats().history.positions).toBe(1);
    expect(await missed(engine, 'quiet', told)).toEqual(['a']);
  });

  test('whose position was evicted may return trimmed, but never recovered', async () => {
    const engine = await startMemory({ totalBytesMax: 8_192 });
    const told = await engine.position('c');
    await engine.publish('c', 'a');
    for (let index = 0; index < 1_000; index++) await engine.publish(`group:${index}`, 'x'.repeat(100), {});
    for (let index = 0; index < 1_000; index++) await engine.position(`group:${index}`);
    expect(await missed(engine, 'c', told)).toBe('trimmed');
    expect(engine.stats().history.bytes).toBeLessThanOrEqual(8_192);
  });
});

describe('one publisher', () => {
  /** Limit of the bytes that a publisher to ever new channels keeps beside the others. */
  const KIB = 1024;

  test.each([
    ['by its sender', { sender: 'flood' }, { sender: 'honest' }, [1, 1]],
    ['by its peer where it names no sender', { sender: '' }, { sender: '' }, [1, 2]],
  ] as const)(
    'gets %s, and evicts none of publishers with less history',
    async (_name, flood, honest, peers) => {
      const engine = await startMemory({ totalBytesMax: 512 * KIB });
      const before = await engine.position('c');
      engine.publisher = peers[1];
      for (let index = 0; index < 50; index++) await engine.publish('c', `${index}`.padEnd(1_000), honest);
      engine.publisher = peers[0];
      for (let index = 0; index < 3_000; index++)
        await engine.publish(`group:${index}`, 'x'.repeat(1_000), flood);
      expect(await missed(engine, 'c', before)).toHaveLength(50);
      const { history } = engine.stats();
      expect(history.bytes).toBeLessThanOrEqual(512 * KIB);
      // The limit is used nevertheless.
      expect(history.bytes).toBeGreaterThan(500 * KIB);
      expect(history.trimmed.total).toBeGreaterThan(2_000);
      expect(history.channelsDropped).toBeGreaterThan(2_000);
    },
  );

  test('that fills the channels of others loses its own publications', async () => {
    const engine = await startMemory({ totalBytesMax: 512 * KIB });
    const before = await engine.position('c');
    for (let index = 0; index < 20; index++)
      await engine.publish('c', 'x'.repeat(1_000), { sender: 'honest' });
    for (let index = 0; index < 8; index++)
      await engine.publish(`group:${index}`, 'x', { sender: `s${index}` });
    for (let index = 0; index < 2_000; index++)
      await engine.publish(`group:${index % 8}`, 'x'.repeat(1_000), { sender: 'flood' });
    expect(engine.stats().history.trimmed.total).toBeGreaterThan(1_000);
    expect(await missed(engine, 'c', before)).toHaveLength(20);
  });

  test('that sends too many message ids evicts none of senders with fewer', async () => {
    const engine = await startMemory({ dedupeIdsMax: 10_000 });
    for (let index = 0; index < 100; index++)
      await engine.publish('c', 'a', { sender: 'honest', messageId: `m${index}` });
    for (let index = 0; index < 50_000; index++)
      await engine.publish('c', 'a', { sender: 'flood', messageId: `m${index}` });
    for (let index = 0; index < 100; index++)
      await engine.publish('c', 'a', { sender: 'honest', messageId: `m${index}` });
    const { duplicates, messageIds, messageIdsDropped } = engine.stats().history;
    expect(duplicates).toBe(100);
    expect(messageIds).toBeLessThanOrEqual(10_000);
    expect(messageIds).toBeGreaterThan(8_000);
    expect(messageIdsDropped).toBeGreaterThan(40_000);
  });
});

describe('the limit of all channels together', () => {
  const NAME = 'group:0';
  const costOf = (bytes: number): number => CHANNEL_BYTES + 2 * NAME.length + blockBytes(bytes);

  test('drops from the least recently used channel, oldest first', async () => {
    const frameBytes = native.PUBLICATION_HEADER_BYTES + NAME.length + 2 + 100;
    const engine = await startMemory({ totalBytesMax: 3 * costOf(frameBytes) + 10 });
    const before = await engine.position('group:0');
    for (const name of ['group:0', 'group:1', 'group:2']) await engine.publish(name, 'x'.repeat(100));
    expect(engine.stats().history).toMatchObject({ publications: 3, trimmed: { total: 0 } });
    // A read uses the channel, too.
    expect(await missed(engine, 'group:0', before)).toHaveLength(1);
    await engine.publish('group:2', 'x'.repeat(100));
    expect(await missed(engine, 'group:0', before)).toHaveLength(1);
    expect(await missed(engine, 'group:2', before)).toHaveLength(2);
    expect(engine.stats()).toMatchObject({ channels: 2, history: { trimmed: { total: 1 } } });
    expect(await missed(engine, 'group:1', before)).toBe('trimmed');
  });

  test.each<[string, (engine: Harness, name: string) => Promise<unknown>]>([
    ['published to', (engine, name) => engine.publish(name, 'x')],
    ['read', (engine, name) => engine.position(name)],
    [
      'subscribed briefly',
      async (engine, name) => {
        await engine.subscribe(subject(name));
        await engine.unsubscribe(subject(name));
      },
    ],
  ])('holds for any number of channels that are %s', async (_name, use) => {
    const totalBytesMax = 100_000;
    // The harness publishes to one channel, which must not fill the limit.
    const engine = await startMemory({ totalBytesMax, countMax: 10 });
    for (let index = 0; index < 1_000; index++) {
      await use(engine, `group:${index}`);
      expect(engine.stats().history.bytes).toBeLessThanOrEqual(totalBytesMax);
    }
    const { channels, history } = engine.stats();
    expect(channels).toBeLessThan(totalBytesMax / CHANNEL_BYTES);
    // An eighth of the limit is for positions.
    expect(history.positions).toBeLessThan(totalBytesMax / 8 / POSITION_BYTES);
    expect(channels + history.positions).toBeGreaterThan(50);
  });

  test('keeps the position of a channel that it emptied, and recovers it', async () => {
    const engine = await startMemory({ totalBytesMax: 512 * 1024 });
    const position = await engine.publish('quiet', 'x');
    for (let index = 0; index < 200; index++) await engine.publish(`group:${index}`, 'x'.repeat(10_000));
    expect(await missed(engine, 'quiet', position)).toEqual([]);
    expect(await missed(engine, 'quiet', at(position, -1))).toBe('trimmed');
    expect(engine.stats().history).toMatchObject({ positions: expect.any(Number), positionsDropped: 0 });
    expect(await engine.publish('quiet', 'y')).toEqual(at(position, 1));
    expect(await missed(engine, 'quiet', position)).toEqual(['y']);
  });

  test('evicts no returned position for any number of channels that it empties', async () => {
    const engine = await startMemory({ totalBytesMax: 512 * 1024 });
    const told = await engine.position('told');
    for (let index = 0; index < 5_000; index++) {
      // The returned positions are the smaller half of the limit.
      if (index < 200) await engine.position(`told:${index}`);
      await engine.publish(`group:${index}`, 'x'.repeat(1_000));
    }
    for (let index = 200; index < 400; index++) await engine.position(`told:${index}`);
    expect(await missed(engine, 'told', told)).toEqual([]);
    const { bytes, positionsDropped } = engine.stats().history;
    expect(bytes).toBeLessThanOrEqual(512 * 1024);
    expect(positionsDropped).toBeGreaterThan(0);
  });

  test('never evicts the position of a subscribed channel', async () => {
    const engine = await startMemory({ totalBytesMax: 1_000 });
    const before = await engine.subscribe(subject('c'));
    const position = await engine.publish('c', 'x'.repeat(2_000));
    for (let index = 0; index < 50; index++) await engine.publish(`other ${index}`, 'x'.repeat(100));
    expect(await missed(engine, 'c', before)).toBe('trimmed');
    expect(await missed(engine, 'c', position)).toEqual([]);
    expect(await engine.publish('c', 'a')).toEqual(at(position, 1));
  });

  test('a message above the limit is delivered, and not kept', async () => {
    const engine = await startMemory({ totalBytesMax: 1_000 });
    await engine.subscribe(subject('c'));
    const before = await engine.position('c');
    await engine.publish('c', 'x'.repeat(100_000));
    await engine.delivered(1);
    expect(await missed(engine, 'c', before)).toBe('trimmed');
    expect(engine.stats().history).toMatchObject({ publications: 0, trimmed: { total: 1 } });
  });
});

test('channels that expire together are forgotten a thousand per event-loop turn', async () => {
  const engine = await startMemory();
  for (let index = 0; index < 10_000; index++) await engine.publish(`group:${index}`, 'x');
  vi.advanceTimersByTime(AGE_MS + 1_000);
  const seen = [engine.stats().channels];
  while (engine.stats().channels > 0) {
    await nextTurn();
    seen.push(engine.stats().channels);
  }
  expect(seen).toEqual(Array.from({ length: seen.length }, (_, index) => 9_000 - index * 1_000));
});

describe('message ids', () => {
  test('are known for at least 120 s, and not forever', async () => {
    const engine = await startMemory();
    const first = await engine.publish('c', 'a', { messageId: 'm' });
    vi.advanceTimersByTime(AGE_MS);
    expect(await engine.publish('c', 'a', { messageId: 'm' })).toEqual(first);
    vi.advanceTimersByTime(AGE_MS / 4);
    expect(engine.stats().history.messageIds).toBe(0);
    expect((await engine.publish('c', 'a', { messageId: 'm' })).offset).toBeGreaterThan(first.offset);
    expect(engine.stats().history).toMatchObject({ duplicates: 1, messageIdsDropped: 0 });
  });

  test('are known all that time, at any rate', async () => {
    const engine = await startMemory({ dedupeMs: 1_000 });
    const sent: { messageId: string; atMs: number }[] = [];
    for (let step = 0; step < 200; step++) {
      const messageId = `m${step}`;
      await engine.publish('c', 'a', { messageId });
      sent.push({ messageId, atMs: performance.now() });
      const before = engine.stats().history.duplicates;
      const recent = sent.filter(({ atMs }) => performance.now() - atMs <= 1_000);
      for (const each of recent) await engine.publish('c', 'a', { messageId: each.messageId });
      expect(engine.stats().history.duplicates - before).toBe(recent.length);
      vi.advanceTimersByTime((step * 37) % 150);
    }
    expect(engine.stats().history.messageIds).toBeLessThan(60);
  });

  test('are limited in number: the oldest are forgotten early, and counted', async () => {
    const engine = await startMemory({ dedupeIdsMax: 80 });
    for (let index = 0; index < 1_000; index++) {
      await engine.publish('c', 'a', { messageId: `m${index}` });
      expect(engine.stats().history.messageIds).toBeLessThanOrEqual(80);
    }
    const { messageIds, messageIdsDropped } = engine.stats().history;
    expect(messageIds + messageIdsDropped).toBe(1_000);
    expect(messageIds).toBeGreaterThanOrEqual(70);
    for (let index = 999; index > 929; index--) await engine.publish('c', 'a', { messageId: `m${index}` });
    expect(engine.stats().history.duplicates).toBe(70);
    await engine.publish('c', 'a', { messageId: 'm0' });
    expect(engine.stats().history.duplicates).toBe(70);
  });
});
