import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { NativePeer } from '../testing/native-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

/** A window or lease longer than any test: an earlier end has another reason. */
const LONG_MS = 600_000;

function textOf(item: native.Item): string {
  return `${Buffer.from(item.payload).toString()}/${item.attempt}`;
}

async function takeTexts(peer: NativePeer, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) texts.push(textOf(await peer.take('item')));
  return texts;
}

async function openPeers(port: number, count: number): Promise<NativePeer[]> {
  return Promise.all(Array.from({ length: count }, () => NativePeer.open(port)));
}

describe('queues of a hub', () => {
  test('an item waits for a consumer, goes to one of them, and is gone when it is done', async () => {
    const { hub, port } = await startHub();
    const [producer, one, two] = await openPeers(port, 3);
    await producer!.enqueue('jobs', 'a', 'b', 'c');
    expect(hub.stats().queues).toMatchObject({ queues: 1, waiting: 3, leased: 0, enqueued: 3 });
    one!.watch('jobs', 1);
    const a = await one!.take('item');
    expect(a).toMatchObject({ queue: 'jobs', attempt: 1, kind: 'text' });
    expect(textOf(a)).toBe('a/1');
    two!.watch('jobs', 2);
    expect(await takeTexts(two!, 2)).toEqual(['b/1', 'c/1']);
    one!.answer('done', a);
    await one!.settle();
    expect(hub.stats().queues).toMatchObject({ waiting: 0, leased: 2, done: 1 });
    expect(hub.queues(9)).toMatchObject([{ name: 'jobs', leased: 2, watchers: 2 }]);
    expect(one!.inbox.all.filter(({ type }) => type === 'item')).toHaveLength(1);
  });

  test('kinds and bytes arrive unchanged', async () => {
    const { port } = await startHub();
    const [peer] = await openPeers(port, 1);
    const payloads = [new Uint8Array(), Uint8Array.of(0, 255, 128, 10), new Uint8Array(300_000).fill(0xc3)];
    peer!.watch('仕事', 9);
    for (const kind of ['text', 'json', 'bytes'] as const) {
      for (const payload of payloads) {
        peer!.link.send(native.encodeEnqueue({ request: 1, queue: '仕事', kind, payload }));
        const item = await peer!.take('item');
        expect(item).toMatchObject({ queue: '仕事', kind });
        expect(Buffer.compare(item.payload, payload)).toBe(0);
        peer!.answer('done', item);
      }
    }
  });

  test('the bytes of an ITEM', async () => {
    const { port } = await startHub();
    const [peer] = await openPeers(port, 1);
    const frames: string[] = [];
    const receive = peer!.receive.bind(peer);
    peer!.receive = (frame) => {
      frames.push(Buffer.from(frame).toString('hex'));
      receive(frame);
    };
    // ENQUEUE, request 1, the text `hi`; then WATCH, request 2, concurrency 1. Byte by byte.
    const sent = '00000019' + '0f00' + '0000' + '0000000000000001' + '0004' + '6a6f6273' + '00' + '6869';
    const watch = '00000015' + '11' + '0000000000000002' + '0001' + '0004' + '6a6f6273';
    for (const byte of Buffer.from(sent + watch, 'hex')) peer!.link.send(Uint8Array.of(byte));
    await peer!.take('item');
    expect(frames).toEqual([
      '0000000d' + '10' + '0000000000000001',
      '00000019' + '1300' + '0001' + '0000000000000001' + '0004' + '6a6f6273' + '00' + '6869',
    ]);
  });

  test('the bytes of an ITEM with a message id, and of the answer to its repetition', async () => {
    const { hub, port } = await startHub();
    const [peer] = await openPeers(port, 1);
    const frames: string[] = [];
    const receive = peer!.receive.bind(peer);
    peer!.receive = (frame) => {
      frames.push(Buffer.from(frame).toString('hex'));
      receive(frame);
    };
    // ENQUEUE, request 1 and again as request 2, the text `hi` with the id `m1`; WATCH, request 3.
    const enqueue = (request: string, text: string): string =>
      `0000001b0f000000${request}00046a6f6273026d31${text}`;
    const watch = `00000015110000000000000003000100046a6f6273`;
    const sent = enqueue('0000000000000001', '6869') + enqueue('0000000000000002', '686f') + watch;
    for (const byte of Buffer.from(sent, 'hex')) peer!.link.send(Uint8Array.of(byte));
    await peer!.take('item');
    expect(frames).toEqual([
      '0000000d100000000000000001',
      '0000000d100000000000000002',
      '0000001b130000010000000000000001' + '00046a6f6273' + '026d31' + '6869',
    ]);
    expect(hub.stats().queues).toMatchObject({ enqueued: 1, duplicates: 1, messageIds: 1 });
  });

  test('a message id counts towards the longest frame', async () => {
    const { port } = await startHub({ frameBytesMax: 100_000 });
    const [peer] = await openPeers(port, 1);
    const fields = { queue: 'jobs', kind: 'text', messageId: 'm'.repeat(100) } as const;
    const room = 100_000 - native.ITEM_HEADER_BYTES - '$dead:jobs'.length - 100;
    for (const [request, bytes] of [
      [1, room + 1],
      [2, room],
    ] as const) {
      const payload = new Uint8Array(bytes);
      peer!.link.send(native.encodeEnqueue({ ...fields, request, payload }));
    }
    expect(await peer!.take('error')).toMatchObject({ request: 1, code: 'bad_length' });
    expect(await peer!.take('enqueued')).toMatchObject({ request: 2 });
  });

  test('a failed item is delivered again at once, in its old place', async () => {
    const { port } = await startHub();
    const [peer] = await openPeers(port, 1);
    peer!.watch('jobs', 1);
    await peer!.enqueue('jobs', 'a', 'b');
    peer!.answer('failed', await peer!.take('item'));
    const again = await peer!.take('item');
    expect(textOf(again)).toBe('a/2');
    peer!.answer('done', again);
    expect(await takeTexts(peer!, 1)).toEqual(['b/1']);
  });

  test('an item that is not done in time is delivered again, and the late answer has no effect', async () => {
    const { hub, port } = await startHub({ queues: { visibilityMs: 30 }, outputCheckMs: 5 });
    const [one, two] = await openPeers(port, 2);
    one!.watch('jobs', 1);
    await one!.enqueue('jobs', 'a');
    const first = await one!.take('item');
    one!.unwatch('jobs');
    await one!.settle();
    two!.watch('jobs', 1);
    let second = await two!.take('item');
    one!.answer('done', first);
    await one!.settle();
    expect(hub.stats().queues.done).toBe(0);
    // The clock runs on: the last lease counts.
    while (hub.stats().queues.done === 0) {
      two!.answer('done', second);
      await two!.settle();
      if (hub.stats().queues.done === 0) second = await two!.take('item');
    }
    expect(hub.stats().queues).toMatchObject({ waiting: 0, leased: 0, bytes: 0 });
  });

  test.each(['destroy', 'close'] as const)(
    'a consumer whose link ends (%s) returns all its items',
    async (how) => {
      const { hub, port } = await startHub();
      const [one, two] = await openPeers(port, 2);
      one!.watch('jobs', 3);
      await one!.enqueue('jobs', 'a', 'b', 'c', 'd');
      await takeTexts(one!, 3);
      two!.watch('jobs', 9);
      expect(await takeTexts(two!, 1)).toEqual(['d/1']);
      one!.link[how]();
      expect(await takeTexts(two!, 3)).toEqual(['a/2', 'b/2', 'c/2']);
      two!.link.destroy();
      await until(() => hub.stats().connectedPeers === 0);
      expect(hub.stats().queues).toMatchObject({ queues: 1, waiting: 4, leased: 0 });
    },
  );

  test('an item that fails too often moves to the dead-letter queue', async () => {
    const { hub, port } = await startHub({ queues: { attemptsMax: 2 } });
    const [peer] = await openPeers(port, 1);
    peer!.watch('jobs', 1);
    await peer!.enqueue('jobs', 'poison', 'b');
    peer!.answer('failed', await peer!.take('item'));
    peer!.answer('failed', await peer!.take('item'));
    expect(await takeTexts(peer!, 1)).toEqual(['b/1']);
    peer!.watch('$dead:jobs', 1);
    const dead = await peer!.take('item');
    expect(dead).toMatchObject({ queue: '$dead:jobs' });
    expect(textOf(dead)).toBe('poison/1');
    peer!.answer('done', dead);
    await peer!.settle();
    expect(hub.stats().queues).toMatchObject({ dead: 1, failed: 2, done: 1, redelivered: 1 });
  });

  test('watching again changes the concurrency', async () => {
    const { port } = await startHub();
    const [peer] = await openPeers(port, 1);
    peer!.watch('jobs', 1);
    await peer!.enqueue('jobs', 'a', 'b', 'c', 'd');
    peer!.watch('jobs', 3);
    const items = [await peer!.take('item'), await peer!.take('item'), await peer!.take('item')];
    peer!.watch('jobs', 1);
    for (const item of items.slice(0, 2)) peer!.answer('done', item);
    await peer!.settle();
    expect(peer!.inbox.all.filter(({ type }) => type === 'item')).toHaveLength(3);
    peer!.answer('done', items[2]!);
    expect(await takeTexts(peer!, 1)).toEqual(['d/1']);
  });
});

describe('rejected requests', () => {
  test('an item for which there is no room, with its request', async () => {
    const { hub, port } = await startHub({ queues: { itemsMax: 1 } });
    const [peer] = await openPeers(port, 1);
    await peer!.enqueue('jobs', 'a');
    const request = peer!.sendEnqueue('jobs', 'b');
    expect(await peer!.take('error')).toMatchObject({ request, code: 'queue_full' });
    expect(hub.stats()).toMatchObject({ rejected: { queue_full: 1 }, queues: { rejected: 1, waiting: 1 } });
  });

  test('an item that would not fit a frame from the dead-letter queue', async () => {
    const frameBytesMax = 100_000;
    const { port } = await startHub({ frameBytesMax });
    const [peer] = await openPeers(port, 1);
    const room = frameBytesMax - native.ITEM_HEADER_BYTES - '$dead:jobs'.length;
    await peer!.enqueue('jobs', 'x'.repeat(room));
    const request = peer!.sendEnqueue('jobs', 'x'.repeat(room + 1));
    expect(await peer!.take('error')).toMatchObject({ request, code: 'bad_length' });
  });

  test('more watched queues than the limit of a peer', async () => {
    const { port } = await startHub({ queues: { watchesMax: 1 } });
    const [peer] = await openPeers(port, 1);
    peer!.watch('a', 1);
    const request = peer!.watch('b', 1);
    expect(await peer!.take('error')).toMatchObject({ request, code: 'queue_limit' });
    await peer!.enqueue('a', 'still here');
    expect(await takeTexts(peer!, 1)).toEqual(['still here/1']);
  });

  test('requests of a peer that must still authenticate', async () => {
    const { port } = await startHub({ secret: 'correct horse battery staple' });
    const frames = [
      native.encodeEnqueue({ request: 1, queue: 'jobs', kind: 'text', payload: 'a' }),
      native.encodeWatch({ request: 1, queue: 'jobs', concurrency: 1 }),
      native.encodeUnwatch('jobs'),
      native.encodeItemResult({ type: 'done', queue: 'jobs', item: 1, attempt: 1 }),
    ];
    for (const frame of frames) {
      const peer = await NativePeer.connect(port);
      peer.link.send(frame);
      expect(await peer.take('error')).toMatchObject({ request: 0, code: 'unauthorized' });
      await peer.ended();
    }
  });

  test('messages that only a hub may send', async () => {
    const { port } = await startHub();
    const item = { item: 1, attempt: 1, queue: 'jobs', kind: 'text', payload: 'a' } as const;
    for (const frame of [native.encodeItem(item), native.encodeEnqueued({ request: 1 })]) {
      const peer = await NativePeer.open(port);
      peer.link.send(frame);
      expect(await peer.take('error')).toMatchObject({ request: 0, code: 'bad_frame' });
    }
  });
});

test('a consumer that does not read loses its link, not its items', async () => {
  const count = 40;
  const limits = { leasedBytesMax: 64 * 1024 * 1024 };
  const { hub, port } = await startHub({ queues: limits, link: { bufferBytesMax: 1024 * 1024 } });
  const [producer, slow, reader] = await openPeers(port, 3);
  slow!.link.pause();
  slow!.watch('jobs', count);
  await producer!.settle();
  const text = 'x'.repeat(1_000_000);
  for (let index = 0; index < count; index++) await producer!.enqueue('jobs', text);
  await until(() => hub.stats().closed.slow === 1);
  reader!.watch('jobs', 1);
  for (let index = 0; index < count; index++) reader!.answer('done', await reader!.take('item'));
  await reader!.settle();
  expect(hub.stats().queues).toMatchObject({ waiting: 0, leased: 0, done: count, dead: 0 });
});

test('a drain delivers and accepts no items, and counts those that are done', async () => {
  const { hub, port } = await startHub();
  const [one, two] = await openPeers(port, 2);
  one!.watch('jobs', 1);
  await one!.enqueue('jobs', 'a', 'b');
  const a = await one!.take('item');
  const drained = hub.drain({ windowMs: LONG_MS });
  await one!.take('goaway');
  two!.watch('jobs', 9);
  const request = one!.sendEnqueue('jobs', 'c');
  expect(await one!.take('error')).toMatchObject({ request, code: 'hub_unavailable' });
  one!.answer('done', a);
  await one!.settle();
  await two!.settle();
  expect(hub.stats().queues).toMatchObject({ done: 1, leased: 0, waiting: 1 });
  one!.link.close();
  two!.link.close();
  await drained;
  expect(two!.inbox.all.filter(({ type }) => type === 'item')).toEqual([]);
});
