import { encodeText, native } from '@groupcast/protocol';
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

describe.each(ENGINES)('the JSON dialect on %s', (_name, createEngine) => {
  test('subscribes, publishes, and unsubscribes, with answers that repeat the id', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'subscribe', id: 'a', channels: ['c'] });
    const { id, positions } = await peer.take('subscribed');
    expect({ id, positions }).toMatchObject({ id: 'a', positions: [{ channel: 'c' }] });
    peer.send({ type: 'subscribe', id: 1, prefixes: ['group:'] });
    expect(await peer.take('subscribed')).toEqual({
      type: 'subscribed',
      id: 1,
      positions: [],
      prefixes: ['group:'],
    });
    peer.send({ type: 'publish', id: 2, channels: ['c'], data: 'hi', sender: 'me', message_id: 'm1' });
    const published = await peer.take('published');
    expect(published).toMatchObject({ id: 2, positions: [{ channel: 'c', epoch: positions[0]!.epoch }] });
    expect(await peer.take('event')).toEqual({
      type: 'event',
      channel: 'c',
      offset: published.positions[0]!.offset,
      time: expect.any(Number),
      data: 'hi',
      sender: 'me',
      message_id: 'm1',
    });
    peer.send({ type: 'unsubscribe', id: 3, channels: ['c'], prefixes: ['group:'] });
    expect(await peer.take('unsubscribed')).toEqual({ type: 'unsubscribed', id: 3 });
    expect(hub.stats().subscriptions).toBe(0);
  });

  test('publishes to several channels, and answers once with all positions, in order', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'subscribe', channels: ['a', 'b'] });
    peer.send({ type: 'publish', id: 1, channels: ['b', 'a', 'unheard', 'b'], data: { x: 1 } });
    const { positions } = await peer.take('published');
    expect(positions.map((position) => position.channel)).toEqual(['b', 'a', 'unheard', 'b']);
    expect(positions[3]!.offset).toBe(positions[0]!.offset + 1);
    for (const name of ['b', 'a', 'b']) {
      expect(await peer.take('event')).toMatchObject({ channel: name, data: { x: 1 } });
    }
  });

  test('handles requests without an id, and does not answer them', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const native = await NativePeer.open(port);
    await native.subscribe(channel('c'));
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'publish', channels: ['c'], data: 'x' });
    peer.send({ type: 'unsubscribe', channels: ['c'] });
    expect(await native.takeText()).toBe('x');
    peer.send({ type: 'publish', id: 'last', channels: ['c'], data: 'y' });
    await peer.take('published');
    expect(peer.inbox.all).toHaveLength(1);
  });

  test('a rejected subscription is answered with its id', async () => {
    const { port } = await startHub({ engine: createEngine(), channelsPerPeerMax: 1 });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'subscribe', id: 7, channels: ['a', 'b'] });
    expect(await peer.take('error')).toMatchObject({ id: 7, code: 'channel_limit' });
  });
});

describe('publications of JSON peers for native peers', () => {
  test.each<[unknown, native.PayloadKind, string]>([
    ['これは', 'text', 'これは'],
    ['', 'text', ''],
    [{ a: [1, null] }, 'json', '{"a":[1,null]}'],
    [null, 'json', 'null'],
    [false, 'json', 'false'],
    [0, 'json', '0'],
  ])('%j as %s', async (data, kind, payload) => {
    const { port } = await startHub();
    const receiver = await NativePeer.open(port);
    await receiver.subscribe(channel('c'));
    const peer = await JsonPeer.connect(port);
    const fields = { sender: 's', message_id: 'm', exclude_sender: true };
    peer.send({ type: 'publish', channels: ['c'], data, ...fields });
    const { publication } = await receiver.take('deliver');
    expect(publication).toMatchObject({ kind, sender: 's', messageId: 'm', excludeSender: true });
    expect(Buffer.from(publication.payload).toString()).toBe(payload);
  });

  test('__proto__ in data stays unchanged', async () => {
    const { port } = await startHub();
    const receiver = await NativePeer.open(port);
    await receiver.subscribe(channel('c'));
    const peer = await JsonPeer.connect(port);
    peer.sendText('{"type":"publish","channels":["c"],"data":{"__proto__":{"polluted":1}}}');
    expect(await receiver.takeText()).toBe('{"__proto__":{"polluted":1}}');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('publications of native peers for JSON peers', () => {
  async function eventOf(kind: native.PayloadKind, payload: Uint8Array): Promise<string> {
    const { port } = await startHub();
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'subscribe', channels: ['c'] });
    await peer.take('subscribed');
    const publisher = await NativePeer.open(port);
    const fields = { excludeSender: false, sender: '', messageId: '', number: 0 };
    publisher.link.send(native.encodePublish({ channel: 'c', kind, payload, ...fields }));
    const { time } = await peer.take('event');
    expect(time).toBeGreaterThan(1e12);
    return peer.texts.at(-1)!.replace(`"time":${time},`, '');
  }

  test('JSON arrives as written, with its spaces, its 1.0 and its long numbers', async () => {
    const written = '{"a": 1.0, "b":12345678901234567890}';
    expect(await eventOf('json', encodeText(written))).toBe(
      `{"type":"event","channel":"c","offset":1,"data":${written}}`,
    );
  });

  test.each<[native.PayloadKind, string, string]>([
    ['text', '{"x":1}', '"data":"{\\"x\\":1}"'],
    ['bytes', 'hi', '"data_base64":"aGk="'],
    ['bytes', '', '"data_base64":""'],
    ['text', '', '"data":""'],
    // Invalid JSON would break the event, or forge its fields.
    [
      'json',
      '1,"channel":"other"',
      `"data_base64":"${Buffer.from('1,"channel":"other"').toString('base64')}"`,
    ],
    ['json', '', '"data_base64":""'],
  ])('%s %j as %s', async (kind, payload, field) => {
    expect(await eventOf(kind, encodeText(payload))).toBe(
      `{"type":"event","channel":"c","offset":1,${field}}`,
    );
  });

  test('text that is not UTF-8 arrives as bytes', async () => {
    expect(await eventOf('text', Uint8Array.of(0xff, 0xfe))).toContain('"data_base64":"//4="');
    expect(await eventOf('json', Uint8Array.of(0x22, 0xff, 0x22))).toContain('"data_base64":"Iv8i"');
  });

  test('a publication that is too long as JSON arrives as an error with its offset', async () => {
    const { port } = await startHub({ frameBytesMax: 10_000 });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'subscribe', channels: ['c'] });
    await peer.take('subscribed');
    const publisher = await NativePeer.open(port);
    await publisher.publish('c', '\u0001'.repeat(5_000));
    await publisher.publish('c', 'short');
    expect(await peer.take('error')).toMatchObject({ code: 'bad_length' });
    expect(await peer.take('event')).toMatchObject({ data: 'short', offset: 2 });
  });
});

test('a short request cannot expand beyond a frame', async () => {
  const { hub, port } = await startHub({ frameBytesMax: 100_000 });
  const peer = await JsonPeer.connect(port);
  const channels = Array.from({ length: 500 }, (_, index) => `c${index}`);
  peer.send({ type: 'publish', id: 1, channels, groups: channels, data: 'x'.repeat(1_000) });
  expect(await peer.take('error')).toMatchObject({ id: 1, code: 'bad_length' });
  expect(hub.stats().published).toBe(0);
});

test('pending publishes are limited', async () => {
  const engine = new MemoryEngine();
  const held: (() => void)[] = [];
  const publish = engine.publish.bind(engine);
  engine.publish = (...args) => held.push(() => publish(...args));
  const { port } = await startHub({ engine });
  const peer = await JsonPeer.connect(port);
  for (let id = 1; id <= 1_025; id++) peer.send({ type: 'publish', id, channels: ['c'], data: 1 });
  expect(await peer.take('error')).toMatchObject({ id: 1_025, code: 'rate_limited' });
  for (const release of held) release();
  for (let id = 1; id <= 1_024; id++) expect(await peer.take('published')).toMatchObject({ id });
});
