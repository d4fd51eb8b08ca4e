import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../src/engine/engine.ts';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { KeyedReader } from '../src/engine/suite/keyed-reader.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { startHub } from '../testing/start-hub.ts';

const ENGINES: [string, () => Engine][] = [
  ['the memory engine', () => new MemoryEngine({ countMax: 5 }, { keyed: { valuesMax: 60 } })],
  ['an engine that answers late', () => new LateEngine(new MemoryEngine({ countMax: 5 }))],
];

describe.each(ENGINES)('a keyed channel on %s', (_name, createEngine) => {
  test('a reader that applies pages and deliveries of its link in order has the values of the writer', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const [writer, peer] = [await NativePeer.open(port), await NativePeer.open(port)];
    const values = new Map<string, string>();
    let count = 0;
    const write = (): void => {
      const key = `key ${(count * 7) % 50}`;
      const text = count % 5 === 4 ? '' : `${count}`.padEnd(6_000, '.');
      writer.sendPublishWith('c', text, { keyed: { key, lifeMs: 0 } }, 0);
      if (text === '') values.delete(key);
      else values.set(key, text.slice(0, 8));
      count += 1;
    };
    for (let index = 0; index < 100; index++) write();
    await writer.settle();
    await peer.subscribe(channel('c'));
    const reader = new KeyedReader('c');
    reader.come();
    let delivered = 0;
    const deliverUpTo = (offset: number): void => {
      for (const frame of peer.deliverFrames.slice(delivered)) {
        if (native.numberAt(frame, 0) > offset) return;
        reader.deliver(frame);
        delivered += 1;
      }
    };
    let pages = 0;
    for (let query = reader.query(); query !== undefined; query = reader.query()) {
      for (let index = 0; index < 10; index++) write();
      const { page, publications } = await peer.history('c', query.since, query);
      const frames = publications.map((publication) => native.encodeDeliver(publication));
      deliverUpTo(page.position.offset);
      reader.readPage({ ...page, frames });
      pages += 1;
    }
    await writer.settle();
    await peer.history('c', { epoch: '', offset: 0 });
    deliverUpTo(Number.MAX_SAFE_INTEGER);
    expect(pages).toBeGreaterThan(3);
    expect(reader.values()).toEqual(values);
  });
});

test('a value above the limit is keys_full for its request, and the peer stays', async () => {
  const { hub, port } = await startHub({ engine: new MemoryEngine({}, { keyed: { valuesMax: 1 } }) });
  const peer = await NativePeer.open(port);
  peer.sendPublishWith('c', '1', { keyed: { key: 'a', lifeMs: 0 } }, 0);
  const request = peer.sendPublishWith('c', '2', { keyed: { key: 'b', lifeMs: 0 } });
  const error = await peer.inbox.take((message) => message.type === 'error');
  expect(error).toMatchObject({
    request,
    code: 'keys_full',
    message: expect.stringContaining('1 of 1 keys'),
  });
  expect((await peer.publish('c', 'no key')).offset).toBe(2);
  expect(hub.stats()).toMatchObject({ keyed: { keys: 1, rejected: 1 }, rejected: { keys_full: 1 } });
});
