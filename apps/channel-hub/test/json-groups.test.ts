import type { Position } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../src/engine/engine.ts';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { JsonPeer } from '../testing/json-peer.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { startHub } from '../testing/start-hub.ts';

const ENGINES: [string, () => Engine][] = [
  ['the memory engine', () => new MemoryEngine()],
  ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
];

describe.each(ENGINES)('groups in the JSON dialect on %s', (_name, createEngine) => {
  test('are channels, and have both names', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const member = await NativePeer.open(port);
    await member.subscribe(channel('group:123'));
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'subscribe', id: 1, groups: ['123'] });
    expect(await peer.take('subscribed')).toMatchObject({
      positions: [{ channel: 'group:123', group: '123' }],
    });
    peer.send({ type: 'subscribe', id: 2, channels: ['123'] });
    const { positions } = await peer.take('subscribed');
    expect(positions[0]).not.toHaveProperty('group');
    peer.send({ type: 'publish', id: 2, groups: [123], data: 'to the group' });
    expect(await peer.take('published')).toMatchObject({
      positions: [{ channel: 'group:123', group: '123' }],
    });
    expect(await peer.take('event')).toMatchObject({ channel: 'group:123', group: '123' });
    expect(await member.takeText()).toBe('to the group');
    peer.send({ type: 'publish', id: 3, channels: ['123'], data: 'to the channel' });
    const event = await peer.take('event');
    expect(event).toMatchObject({ channel: '123', data: 'to the channel' });
    expect(event).not.toHaveProperty('group');
    peer.send({ type: 'unsubscribe', id: 4, groups: ['123'] });
    await peer.take('unsubscribed');
    peer.send({ type: 'publish', id: 5, groups: ['123'], data: 'not for this peer' });
    await peer.take('published');
    expect(peer.inbox.all.filter(({ type }) => type === 'event')).toHaveLength(2);
  });

  test('history is read from a position on, up to the limit', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const { peer, before } = await published(port, [1, 2, 3]);
    const time = expect.any(Number);
    const first = { type: 'history', group: '123', limit: 2, ...before };
    peer.send({ id: 'h', ...first });
    expect(await peer.take('history')).toEqual({
      type: 'history',
      id: 'h',
      verdict: 'recovered',
      epoch: before.epoch,
      offset: before.offset + 3,
      messages: [
        { offset: before.offset + 1, time, data: 1, sender: 'me', message_id: 'm1' },
        { offset: before.offset + 2, time, data: 2, sender: 'me', message_id: 'm2' },
      ],
    });
    peer.send({ ...first, id: 1, channel: 'group:123', group: undefined, offset: before.offset + 2 });
    expect(await peer.take('history')).toMatchObject({ id: 1, messages: [{ data: 3 }] });
    peer.send({ ...first, id: 2, epoch: 'another' });
    expect(await peer.take('history')).toMatchObject({ verdict: 'epoch_changed', messages: [] });
  });

  test('a ping is answered, with its id if it has one', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'ping', id: 'p' });
    expect(await peer.take('pong')).toEqual({ type: 'pong', id: 'p' });
    peer.send({ type: 'ping' });
    expect(await peer.take('pong')).toEqual({ type: 'pong' });
  });
});

/**
 * A peer that has published data to the group 123 in order, and the position of the group before.
 */
async function published(
  port: number,
  data: readonly unknown[],
): Promise<{ peer: JsonPeer; before: Position }> {
  const peer = await JsonPeer.connect(port);
  peer.send({ type: 'history', id: 'before', group: '123', epoch: '', offset: 0 });
  const { epoch, offset } = await peer.take('history');
  for (const [index, one] of data.entries()) {
    const names = { sender: 'me', message_id: `m${index + 1}` };
    peer.send({ type: 'publish', id: index, groups: ['123'], data: one, ...names });
    await peer.take('published');
  }
  return { peer, before: { epoch, offset } };
}

test('a reply of history fits a frame, and continues with the next request', async () => {
  const frameBytesMax = 1_000;
  const { port } = await startHub({ frameBytesMax });
  // 250 bytes each as JSON, where control characters take six.
  const { peer, before } = await published(port, Array(10).fill('\u0001'.repeat(40)));
  const offsets: number[] = [];
  let { offset } = before;
  for (let reads = 1; offset < before.offset + 10; reads++) {
    peer.send({ type: 'history', id: reads, group: '123', epoch: before.epoch, offset });
    const { messages } = await peer.take('history');
    expect(peer.texts.at(-1)?.length).toBeLessThanOrEqual(frameBytesMax - 4);
    offsets.push(...messages.map((message) => message.offset));
    offset = offsets.at(-1) ?? expect.unreachable();
  }
  expect(offsets).toEqual(Array.from({ length: 10 }, (_, index) => before.offset + 1 + index));
});

test('a message that is longer as JSON than a frame is rejected with its offset', async () => {
  const { port } = await startHub({ frameBytesMax: 1_000 });
  const native = await NativePeer.open(port);
  const { peer, before } = await published(port, []);
  native.publish('group:123', '\u0001'.repeat(500));
  await native.settle();
  peer.send({ type: 'history', id: 1, group: '123', ...before });
  const { code, message } = await peer.take('error');
  expect([code, message]).toEqual([
    'bad_length',
    expect.stringContaining(`Publication ${before.offset + 1} `),
  ]);
});

test('pending reads are limited', async () => {
  const engine = new MemoryEngine();
  const held: (() => void)[] = [];
  const history = engine.history.bind(engine);
  engine.history = (...args) => held.push(() => history(...args));
  const { port } = await startHub({ engine });
  const peer = await JsonPeer.connect(port);
  for (let id = 1; id <= 1_025; id++) peer.send({ type: 'history', id, channel: 'c', epoch: '', offset: 0 });
  expect(await peer.take('error')).toMatchObject({ id: 1_025, code: 'rate_limited' });
  for (const release of held) release();
  for (let id = 1; id <= 1_024; id++) expect(await peer.take('history')).toMatchObject({ id });
});
