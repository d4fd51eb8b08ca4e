import type { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../src/engine/engine.ts';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer, prefix } from '../testing/native-peer.ts';
import { startHub } from '../testing/start-hub.ts';

const KIB = 1024;

describe.each<[string, () => Engine]>([
  ['the memory engine', () => new MemoryEngine()],
  ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
])('ephemeral publications of a hub on %s', (_name, createEngine) => {
  test('keep their place among those that were read together', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const member = await NativePeer.open(port);
    const [subscribed] = await member.subscribe(channel('c'), prefix('other'));
    const publisher = await NativePeer.open(port);
    // Upper case is ephemeral. Frames that are sent in one event-loop turn arrive together.
    const texts = ['a', 'b', 'X', 'c', 'Y', 'Z', 'd', 'e', 'f', 'V'];
    const isEphemeral = (text: string): boolean => text < 'a';
    for (const text of texts) publisher.sendPublishWith('c', text, { ephemeral: isEphemeral(text) }, 0);
    publisher.sendPublishWith('unknown', 'not this one', { ephemeral: true }, 0);
    publisher.sendPublishWith('other', 'W', { ephemeral: true }, 0);
    const got: native.Publication[] = [];
    while (got.length <= texts.length) got.push((await member.take('deliver')).publication);
    expect(got.map(({ payload }) => Buffer.from(payload).toString())).toEqual([...texts, 'W']);
    let { offset } = subscribed!.position;
    for (const { number, timeMs, ephemeral, channel: name } of got.slice(0, -1)) {
      if (!ephemeral) offset += 1;
      expect({ number, name }).toEqual({ number: offset, name: 'c' });
      expect(timeMs).toBeGreaterThan(0);
    }
    expect(hub.stats()).toMatchObject({ delivered: texts.length + 1, ephemeralDropped: 0 });
  });

  test('are answered with the position, and are in no page', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const peer = await NativePeer.open(port);
    const first = await peer.publish('c', 'a');
    expect(await peer.publishWith('c', 'x', { ephemeral: true })).toEqual(first);
    const { page, publications } = await peer.history('c', first);
    expect(page).toMatchObject({ verdict: 'recovered', position: first, count: 0 });
    expect(publications).toEqual([]);
  });
});

test('ephemeral publications above the buffer limit of a peer are dropped and counted; stored ones are not', async () => {
  const ephemeralBufferBytesMax = 64 * KIB;
  const { hub, port } = await startHub({ ephemeralBufferBytesMax });
  const [slow, member, publisher] = [
    await NativePeer.open(port),
    await NativePeer.open(port),
    await NativePeer.open(port),
  ];
  for (const peer of [slow, member]) await peer.subscribe(channel('c'));
  slow.link.pause();
  const text = 'x'.repeat(32 * KIB);
  let published = 0;
  // Until the buffers of the kernel are full as well.
  while (hub.stats().ephemeralDropped < 10) {
    await publisher.publishWith('c', text, { ephemeral: true });
    published += 1;
  }
  const longest = Math.max(...hub.peers().map(({ bufferedBytes }) => bufferedBytes));
  expect(longest).toBeLessThan(ephemeralBufferBytesMax + 2 * text.length);
  const { offset } = await publisher.publish('c', 'stored');
  slow.link.resume();
  const { ephemeralDropped, delivered } = hub.stats();
  expect(await ephemeralBefore(slow, offset)).toBe(published - ephemeralDropped);
  expect(await ephemeralBefore(member, offset)).toBe(published);
  expect(delivered).toBe(2 * published - ephemeralDropped + 2);
});

/** Resolves with the number of ephemeral deliveries before that of an offset. */
async function ephemeralBefore(peer: NativePeer, offset: number): Promise<number> {
  for (let count = 0; ; count++) {
    const { publication } = await peer.take('deliver');
    if (!publication.ephemeral && publication.number === offset) return count;
  }
}
