import { encodeText, native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { JsonPeer } from '../testing/json-peer.ts';
import { NativePeer } from '../testing/native-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

describe('queues in JSON', () => {
  test('an item fails, is delivered again, and is done', async () => {
    const { hub, port } = await startHub();
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'watch', queue: 'jobs' });
    peer.send({ type: 'enqueue', id: 'e1', queue: 'jobs', data: 'a' });
    peer.send({ type: 'enqueue', queue: 'jobs', data: { b: [1, null] } });
    expect(await peer.take('enqueued')).toEqual({ type: 'enqueued', id: 'e1' });
    const first = await peer.take('item');
    expect(first).toEqual({ type: 'item', queue: 'jobs', item: 1, attempt: 1, data: 'a' });
    peer.send({ ...first, type: 'failed' });
    const again = await peer.take('item');
    expect(again).toEqual({ ...first, attempt: 2 });
    peer.send({ ...again, type: 'done' });
    expect(await peer.take('item')).toMatchObject({ item: 2, attempt: 1, data: { b: [1, null] } });
    expect(hub.stats().queues).toMatchObject({ done: 1, failed: 1, leased: 1 });
    peer.send({ type: 'unwatch', queue: 'jobs' });
    peer.send({ type: 'done', queue: 'jobs', item: 2, attempt: 1 });
    await until(() => hub.stats().queues.queues === 0);
  });

  test('items of native peers are delivered: text, JSON as written, bytes', async () => {
    const { port } = await startHub();
    const [peer, producer] = [await JsonPeer.connect(port), await NativePeer.open(port)];
    peer.send({ type: 'watch', queue: 'jobs', concurrency: 3 });
    const enqueue = (kind: native.PayloadKind, payload: Uint8Array): void =>
      producer.link.send(native.encodeEnqueue({ request: 1, queue: 'jobs', kind, payload }));
    enqueue('text', encodeText('これは'));
    enqueue('json', encodeText('[1.0]'));
    enqueue('bytes', Uint8Array.of(0, 255, 254, 128));
    for (let count = 0; count < 3; count++) await peer.take('item');
    expect(peer.texts).toEqual([
      '{"type":"item","queue":"jobs","item":1,"attempt":1,"data":"これは"}',
      '{"type":"item","queue":"jobs","item":2,"attempt":1,"data":[1.0]}',
      '{"type":"item","queue":"jobs","item":3,"attempt":1,"data_base64":"AP/+gA=="}',
    ]);
  });

  test('an item with a message_id is enqueued once, and shows it', async () => {
    const { hub, port } = await startHub();
    const [peer, producer] = [await JsonPeer.connect(port), await NativePeer.open(port)];
    const enqueue = { type: 'enqueue', queue: 'jobs', data: 'a', message_id: 'm 1' };
    for (const id of [1, 2]) {
      peer.send({ ...enqueue, id });
      expect(await peer.take('enqueued')).toEqual({ type: 'enqueued', id });
    }
    const item = { queue: 'jobs', kind: 'text', payload: 'of another dialect', request: 1 } as const;
    producer.link.send(native.encodeEnqueue({ ...item, messageId: 'm 1' }));
    await producer.take('enqueued');
    peer.send({ type: 'watch', queue: 'jobs', concurrency: 9 });
    await peer.take('item');
    expect(peer.texts.at(-1)).toBe(
      '{"type":"item","queue":"jobs","item":1,"attempt":1,"data":"a","message_id":"m 1"}',
    );
    expect(hub.stats().queues).toMatchObject({ enqueued: 1, duplicates: 2, leased: 1 });
  });

  test.each([
    ['enqueue', { data: 'b' }, 'queue_full'],
    ['watch', {}, 'queue_limit'],
  ])('a rejected %s is answered with its id, and the peer stays connected', async (type, fields, code) => {
    const { port } = await startHub({ queues: { itemsMax: 1, watchesMax: 1 } });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'enqueue', id: 1, queue: 'jobs', data: 'a' });
    await peer.take('enqueued');
    peer.send({ type: 'watch', queue: 'other' });
    peer.send({ type, id: 7, queue: 'jobs', ...fields });
    expect(await peer.take('error')).toMatchObject({ id: 7, code });
    peer.send({ type: 'enqueue', id: 2, queue: 'other', data: 'c' });
    expect(await peer.take('item')).toMatchObject({ queue: 'other', data: 'c' });
  });

  test('an item that is longer as JSON than a frame ends up in the dead-letter queue', async () => {
    const { hub, port } = await startHub({ frameBytesMax: 100_000 });
    const [peer, producer] = [await JsonPeer.connect(port), await NativePeer.open(port)];
    peer.send({ type: 'watch', queue: 'jobs' });
    await producer.enqueue('jobs', '\u0001'.repeat(50_000), 'short');
    expect(await peer.take('item')).toMatchObject({ data: 'short' });
    expect(hub.stats().queues).toMatchObject({ dead: 1, failed: 5, leased: 1 });
    producer.watch('$dead:jobs', 1);
    expect((await producer.take('item')).payload).toHaveLength(50_000);
  });
});
