import { once } from 'node:events';
import { native, type Position } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../src/engine/engine.ts';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { JsonPeer } from '../testing/json-peer.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer, type ReadPage } from '../testing/native-peer.ts';
import { connectRaw } from '../testing/raw-peer.ts';
import { closedAs, startHub, until } from '../testing/start-hub.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

const ENGINES: [string, () => Engine][] = [
  ['the memory engine', () => new MemoryEngine()],
  ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
];

function textsOf({ publications }: ReadPage): string[] {
  return publications.map(({ payload }) => Buffer.from(payload).toString());
}

function behind({ epoch, offset }: Position, count: number): Position {
  return { epoch, offset: offset + count };
}

describe.each(ENGINES)('history of a hub on %s', (_name, createEngine) => {
  test('has the publications that a peer missed, subscribed or not', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const [publisher, reader] = [await NativePeer.open(port), await NativePeer.open(port)];
    const [entry] = await publisher.subscribe(channel('group:1'));
    const start = entry?.position ?? expect.unreachable();
    for (const text of ['a', 'これはメッセージです', 'c']) await publisher.publish('group:1', text);
    const all = await reader.history('group:1', start);
    expect(all.page).toMatchObject({ verdict: 'recovered', position: behind(start, 3), count: 3 });
    expect(textsOf(all)).toEqual(['a', 'これはメッセージです', 'c']);
    expect(all.publications.map(({ number }) => number - start.offset)).toEqual([1, 2, 3]);
    expect(textsOf(await reader.history('group:1', behind(start, 2)))).toEqual(['c']);
    expect(textsOf(await reader.history('group:1', behind(start, 3)))).toEqual([]);
    expect(reader.deliverFrames).toEqual([]);
  });

  test('by number: the newest publications, whatever the position', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const peer = await NativePeer.open(port);
    const start = await peer.publish('group:1', 'a');
    for (const text of ['b', 'c']) await peer.publish('group:1', text);
    for (const since of [{ epoch: '', offset: 0 }, behind(start, 2)]) {
      const read = await peer.history('group:1', since, { last: 2 });
      expect(read.page).toMatchObject({ verdict: 'recovered', position: behind(start, 2), more: false });
      expect(textsOf(read)).toEqual(['b', 'c']);
    }
  });

  test('of another epoch, or above the top, is rejected with the position', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const peer = await NativePeer.open(port);
    const position = await peer.publish('group:1', 'a');
    for (const since of [{ epoch: '-', offset: 0 }, behind(position, 1)]) {
      const { page, publications } = await peer.history('group:1', since);
      expect(page).toMatchObject({ verdict: 'epoch_changed', position, count: 0 });
      expect(publications).toEqual([]);
    }
    expect(hub.stats().history.reads).toEqual({ recovered: 0, epoch_changed: 2, trimmed: 0, snapshot: 0 });
  });

  test('missed publications, then live ones, arrive without a gap or an overlap during publishes', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const publisher = await NativePeer.open(port);
    const start = await publisher.publish('group:1', 'first');
    // Each is shorter than a page; together they are several pages.
    const text = 'x'.repeat(2 * KIB);
    for (let count = 0; count < 100; count++) publisher.sendPublish('group:1', text);
    await publisher.settle();
    const reader = await NativePeer.open(port);
    await reader.subscribe(channel('group:1'));
    const got: number[] = [];
    for (;;) {
      for (let count = 0; count < 20; count++) publisher.sendPublish('group:1', text);
      const read = await reader.history('group:1', behind(start, got.length));
      got.push(...read.publications.map(({ number }) => number));
      if (got.at(-1) === read.page.position.offset) break;
    }
    // Behind the page that reaches the top, every delivery is the next one.
    const pageAt = reader.events.lastIndexOf(`page up to ${got.at(-1)}`);
    await publisher.settle();
    const { offset: top } = await publisher.publish('group:1', 'last');
    await until(() => reader.events.at(-1) === `deliver ${top}`);
    const live = reader.events.slice(pageAt + 1).map((event) => Number(event.replace('deliver ', '')));
    expect([...got, ...live]).toEqual(
      Array.from({ length: top - start.offset }, (_, index) => start.offset + 1 + index),
    );
    expect(got.length).toBeGreaterThan(100);
  });

  test('a repetition is answered with the first position, and is not delivered', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const [member, publisher] = [await NativePeer.open(port), await NativePeer.open(port)];
    await member.subscribe(channel('group:1'));
    const first = await publisher.publish('group:1', 'a', 'm1');
    const other = await NativePeer.open(port);
    expect(await other.publish('group:1', 'a', 'm1')).toEqual(first);
    const json = await JsonPeer.connect(port);
    json.send({ type: 'publish', id: 1, channels: ['group:1', 'group:2'], data: 'a', message_id: 'm1' });
    const { positions } = await json.take('published');
    expect(positions[0]).toEqual({ channel: 'group:1', group: '1', ...first });
    await publisher.publish('group:1', 'b', 'm2');
    expect([await member.takeText(), await member.takeText()]).toEqual(['a', 'b']);
    expect(hub.stats().history).toMatchObject({ duplicates: 2, publications: 3 });
  });

  test('is rejected for a peer that is not open, and for an invalid name', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const stranger = await NativePeer.connect(port);
    stranger.sendHistory('group:1', { epoch: 'e', offset: 0 });
    expect(await stranger.take('error')).toMatchObject({ request: 0, code: 'unauthorized' });
    const peer = await NativePeer.open(port);
    peer.sendHistory('a\nb', { epoch: 'e', offset: 0 });
    expect(await peer.take('error')).toMatchObject({ request: 0, code: 'bad_channel' });
    await closedAs(hub, 'bad_channel');
  });
});

test('a failed read is an error with its request, and the peer stays connected', async () => {
  const engine = new MemoryEngine();
  const { hub, port } = await startHub({ engine });
  const peer = await NativePeer.open(port);
  await engine.close();
  const request = peer.sendHistory('group:1', { epoch: 'e', offset: 0 });
  expect(await peer.take('error')).toMatchObject({ request, code: 'hub_unavailable' });
  expect(hub.stats()).toMatchObject({ connectedPeers: 1, rejected: { hub_unavailable: 1 } });
});

test('a peer that requests more than it reads is closed at the limit of its buffer; other peers are served', async () => {
  const bufferBytesMax = 4 * MIB;
  const { hub, port } = await startHub({ link: { bufferBytesMax } });
  const publisher = await NativePeer.open(port);
  const start = await publisher.publish('c', 'first');
  for (let count = 0; count < 15; count++) await publisher.publish('c', 'x'.repeat(64 * KIB - 100));
  const socket = await connectRaw(port);
  socket.write(native.encodeHello({ version: 1, nonce: new Uint8Array(32), name: 'greedy' }));
  await once(socket, 'data');
  socket.pause();
  // Requests of 40 bytes, each for 64 KiB: 64 MiB in total.
  const requests = Array.from({ length: 1_024 }, (_, index) =>
    native.encodeHistory({ request: index + 1, channel: 'c', since: start }),
  );
  let longest = 0;
  const greedy = hub.peers().find(({ name }) => name === 'greedy')?.id;
  for (const request of requests) {
    socket.write(request);
    await publisher.settle();
    const row = hub.peers().find(({ id }) => id === greedy);
    if (row === undefined) break;
    longest = Math.max(longest, row.bufferedBytes);
  }
  await closedAs(hub, 'slow');
  expect(longest).toBeLessThanOrEqual(bufferBytesMax + 64 * KIB);
  expect(longest).toBeGreaterThan(bufferBytesMax / 2);
  expect(textsOf(await publisher.history('c', start))).toHaveLength(1);
});

test('pages count towards the limit of all buffers', async () => {
  const { hub, port } = await startHub({ outputBytesMax: 8 * MIB, outputCheckMs: 5 });
  const publisher = await NativePeer.open(port);
  const start = await publisher.publish('c', 'first');
  await publisher.publish('c', 'x'.repeat(MIB - KIB));
  const sockets = await Promise.all([1, 2, 3].map(() => connectRaw(port)));
  for (const socket of sockets) {
    socket.write(native.encodeHello({ version: 1, nonce: new Uint8Array(32), name: 'deaf' }));
    await once(socket, 'data');
    socket.pause();
  }
  for (let request = 1; hub.stats().closed.evicted === undefined; request++) {
    for (const socket of sockets) socket.write(native.encodeHistory({ request, channel: 'c', since: start }));
    await publisher.settle();
    expect(hub.stats().bufferedBytes).toBeLessThanOrEqual(8 * MIB + 4 * MIB);
  }
  expect(hub.peers().map(({ name }) => name)).toContain('test');
});
