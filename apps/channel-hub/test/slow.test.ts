import { once } from 'node:events';
import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { connectRaw } from '../testing/raw-peer.ts';
import { closedAs, startHub, until } from '../testing/start-hub.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A peer that subscribes to a channel and then never reads again. */
async function connectDeaf(port: number, name: string): Promise<void> {
  const socket = await connectRaw(port);
  socket.write(native.encodeHello({ version: 1, nonce: new Uint8Array(32), name }));
  socket.write(native.encodeSubscribe({ request: 1, subjects: [channel('c')] }));
  await once(socket, 'data');
  socket.pause();
}

describe('a subscriber that never reads', () => {
  test('is closed at the limit of its buffer, and others get everything meanwhile', async () => {
    const bufferBytesMax = 4 * MIB;
    const { hub, port } = await startHub({ link: { bufferBytesMax } });
    await connectDeaf(port, 'deaf');
    const member = await NativePeer.open(port);
    await member.subscribe(channel('c'));
    const publisher = await NativePeer.open(port);
    const text = 'x'.repeat(64 * KIB);
    let published = 0;
    let longest = 0;
    while (hub.stats().closed.slow === undefined) {
      await publisher.publish('c', text);
      published += 1;
      const queues = hub.peers().map((peer) => peer.bufferedBytes);
      longest = Math.max(longest, ...queues);
    }
    for (let index = 0; index < published; index++) await member.takeText();
    expect(longest).toBeLessThanOrEqual(bufferBytesMax + text.length);
    expect(longest).toBeGreaterThan(bufferBytesMax / 2);
    expect(hub.stats()).toMatchObject({ connectedPeers: 2, subscriptions: 1, closed: { slow: 1 } });
  });

  test('is closed when its buffer stays long', async () => {
    const link = { bufferBytesMax: 32 * MIB, bufferBytesSoft: 64 * KIB, bufferSoftMs: 30, tickMs: 10 };
    const { hub, port } = await startHub({ link });
    await connectDeaf(port, 'deaf');
    const publisher = await NativePeer.open(port);
    for (let index = 0; index < 16; index++) await publisher.publish('c', 'x'.repeat(MIB));
    await closedAs(hub, 'slow');
  });
});

describe('all buffers in total', () => {
  test('are limited: publishers pause, then the longest buffer is evicted', async () => {
    const { hub, port } = await startHub({ outputBytesMax: 16 * MIB, outputCheckMs: 5 });
    for (const name of ['deaf 1', 'deaf 2', 'deaf 3']) await connectDeaf(port, name);
    const publisher = await NativePeer.open(port);
    let published = 0;
    while (hub.stats().closed.evicted === undefined) {
      await publisher.publish('c', 'x'.repeat(256 * KIB));
      published += 1;
      expect(hub.stats().bufferedBytes).toBeLessThanOrEqual(16 * MIB);
    }
    expect(hub.stats().publisherPauses).toBeGreaterThan(0);
    expect(hub.peers().map((peer) => peer.name)).toContain('test');
    // A paused publisher continues.
    await publisher.publish('other');
    await until(() => hub.stats().connectedPeers === 3);
    expect(hub.stats().published).toBe(published + 1);
  });
});
