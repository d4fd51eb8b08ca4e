import { encodeFrame, encodeText, native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { afterEach, describe, expect, test } from 'vitest';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import type { Hub } from '../src/hub.ts';
import { JsonPeer } from '../testing/json-peer.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { answersUntilClosed, connectRaw } from '../testing/raw-peer.ts';
import { closedAs, startHub, until } from '../testing/start-hub.ts';

// The rows H1 to H6 and H18 of the threat model, on literal bytes.

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([]);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

/** Expects that the hub still serves other peers. */
async function expectService(hub: Hub, port: number): Promise<void> {
  const before = hub.stats().published;
  const peer = await NativePeer.open(port);
  await peer.subscribe(channel('service'));
  await peer.publish('service', 'ok');
  expect(await peer.takeText()).toBe('ok');
  expect(hub.stats().published).toBe(before + 1);
}

describe('closed by the first four bytes, without a frame', () => {
  test.each<[string, string | Buffer]>([
    ['length 0', Buffer.from('00000000', 'hex')],
    ['length 1', Buffer.from('00000001', 'hex')],
    ['length 2', Buffer.from('00000002', 'hex')],
    ['length 3', Buffer.from('00000003', 'hex')],
    ['one byte above the limit', Buffer.from('00a00001', 'hex')],
    ['a length that is negative when it is read as signed', Buffer.from('80000000', 'hex')],
    ['the largest length', Buffer.from('ffffffff', 'hex')],
    ['HTTP', 'GET / HTTP/1.1\r\nHost: hub\r\n\r\n'],
    ['HTTP POST', 'POST /'],
    ['TLS', Buffer.from('16030100c8010000', 'hex')],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['PROXY', 'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'],
    ['RESP', '*1\r\n$4\r\nPING\r\n'],
    ['PHP without a frame', 'a:1:{s:4:"type";s:9:"subscribe";}'],
    ['JSON without a frame', '{"type":"publish","channels":["c"],"data":1}'],
  ])('%s', async (_name, bytes) => {
    const { hub, port, lines } = await startHub();
    const socket = await connectRaw(port);
    socket.write(bytes);
    expect(await answersUntilClosed(socket)).toHaveLength(0);
    await closedAs(hub, 'bad_length');
    expect(lines).toMatchObject([{ level: 'warn', fields: { reason: 'bad_length' } }]);
    const slow = await connectRaw(port);
    for (const byte of Buffer.from(bytes).subarray(0, 4)) slow.write(Buffer.of(byte));
    expect(await answersUntilClosed(slow)).toHaveLength(0);
    await closedAs(hub, 'bad_length', 2);
    await expectService(hub, port);
  });
});

describe('the first byte of a body', () => {
  test.each([0x20, 0x2d, 0x30, 0x4f, 0x5b, 0x62, 0x7f, 0x80, 0xff])(
    '%i is no dialect, and the peer is closed without a frame',
    async (byte) => {
      const { hub, port } = await startHub();
      const socket = await connectRaw(port);
      socket.write(encodeFrame(Uint8Array.of(byte, 0x31)));
      expect(await answersUntilClosed(socket)).toHaveLength(0);
      await closedAs(hub, 'unknown_dialect');
      await expectService(hub, port);
    },
  );

  test.each([
    ['JSON', encodeFrame(encodeText('{"type":"subscribe","channels":["c"]}'))],
    ['PHP', encodeFrame(encodeText('a:0:{}'))],
    ['nothing known', encodeFrame(encodeText('x'))],
  ])('fixes the dialect: %s of a native peer closes it', async (_name, frame) => {
    const { hub, port } = await startHub();
    const peer = await NativePeer.open(port);
    peer.link.send(frame);
    expect(await peer.take('error')).toMatchObject({ request: 0, code: 'unknown_dialect' });
    await closedAs(hub, 'unknown_dialect');
    expect(hub.stats().subscriptions).toBe(0);
  });

  test('fixes the dialect: a native message of a JSON peer closes it', async () => {
    const { hub, port } = await startHub();
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'subscribe', channels: ['c'] });
    await peer.take('subscribed');
    peer.link.send(native.encodeSubscribe({ request: 1, subjects: [channel('c')] }));
    expect(await peer.take('error')).toMatchObject({ code: 'unknown_dialect' });
    await closedAs(hub, 'unknown_dialect');
  });
});

test('empty frames and the body "0" keep a connection alive, and are not answered', async () => {
  const { hub, port } = await startHub();
  const keepAlive = Buffer.from('000000040000000530', 'hex');
  const native = await NativePeer.connect(port);
  native.link.send(keepAlive);
  native.hello();
  native.link.send(keepAlive);
  await native.take('welcome');
  await native.settle();
  const json = await JsonPeer.connect(port);
  json.link.send(keepAlive);
  json.send({ type: 'publish', id: 1, channels: ['c'], data: 1 });
  json.link.send(keepAlive);
  await json.take('published');
  expect(native.inbox.all.map(({ type }) => type)).toEqual(['welcome', 'published']);
  expect(json.inbox.all).toHaveLength(1);
  expect(hub.stats().closed).toEqual({});
});

describe('a welcomed native peer gets an error and is closed when it sends', () => {
  const position = { epoch: 'e', offset: 1 };
  const publish = native.encodePublish({
    channel: 'c',
    ...TEXT_FIELDS,
    payload: new Uint8Array(3),
    number: 1,
  });
  const deliver = publish.slice();
  native.turnIntoDeliver(deliver, 1, 0);

  test.each<[string, Uint8Array]>([
    ['opcode 0', encodeFrame(Uint8Array.of(0))],
    ['an unknown opcode', encodeFrame(Uint8Array.of(0x1f, 1, 2, 3))],
    ['CHALLENGE', native.encodeChallenge({ nonce: new Uint8Array(32), proof: new Uint8Array(32) })],
    ['WELCOME', native.encodeWelcome({ version: 1, heartbeatMs: 1, frameBytesMax: 1 })],
    ['SUBSCRIBED', native.encodeSubscribed({ request: 1, entries: [{ ...channel('c'), position }] })],
    ['DELIVER', deliver],
    ['PUBLISHED', native.encodePublished({ request: 1, position })],
    ['ERROR', native.encodeError({ request: 0, code: 'bad_frame', message: '' })],
    ['a SUBSCRIBE of no channels', Buffer.from('0000000f0500000000000000010000', 'hex')],
    ['a SUBSCRIBE of 1,025 channels', Buffer.from('0000000f0500000000000000010401', 'hex')],
    ['a SUBSCRIBE that is cut', Buffer.from('000000120500000000000000010001000005', 'hex')],
    ['a PUBLISH that is cut', encodeFrame(publish.subarray(4, 12))],
    ['a PUBLISH with unknown flags', encodeFrame(Buffer.concat([Buffer.of(8, 0x80), publish.subarray(6)]))],
  ])('%s', async (_name, frame) => {
    const { hub, port } = await startHub();
    const peer = await NativePeer.open(port);
    peer.link.send(frame);
    peer.sendPublish('c', 'too late');
    expect(await peer.take('error')).toMatchObject({ request: 0, code: 'bad_frame' });
    await closedAs(hub, 'bad_frame');
    expect(hub.stats()).toMatchObject({ published: 0, subscriptions: 0 });
    await expectService(hub, port);
  });

  test.each([
    ['an empty name', ''],
    ['a line end', 'a\nb'],
    ['NUL', '\0'],
    ['a name of 321 bytes', 'x'.repeat(321)],
    ['a mark that turns the direction', 'a\u202eb'],
  ])('a channel with %s', async (_name, name) => {
    const { hub, port } = await startHub();
    const publisher = await NativePeer.open(port);
    publisher.link.send(publishTo(name));
    expect(await publisher.take('error')).toMatchObject({ request: 0, code: 'bad_channel' });
    const subscriber = await NativePeer.open(port);
    subscriber.sendSubscribe(channel(name));
    expect(await subscriber.take('error')).toMatchObject({ request: 0, code: 'bad_channel' });
    await closedAs(hub, 'bad_channel', 2);
  });
});

test('names of Object.prototype are ordinary channels', async () => {
  const { hub, port } = await startHub({ engine: new MemoryEngine({ ageMs: 50 }) });
  const peer = await NativePeer.open(port);
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];
  await peer.subscribe(...names.map(channel));
  for (const name of names) await peer.publish(name, name);
  for (const name of names) expect(await peer.takeText()).toBe(name);
  peer.unsubscribe(...names.map(channel));
  await peer.settle();
  expect(hub.stats().channels).toBe(0);
  await until(() => hub.stats().engineChannels === 0);
});

describe('a JSON peer gets an error and stays connected', () => {
  test.each<[string, string, string]>([
    ['cut JSON', '{"type":"subscribe"', 'bad_json'],
    ['no type', '{}', 'bad_field'],
    ['an unknown type', '{"type":"eval"}', 'bad_field'],
    ['__proto__ as type', '{"type":"__proto__"}', 'bad_field'],
    ['a type that the hub sends', '{"type":"event","channel":"c","offset":1}', 'bad_field'],
    ['channels that are no array', '{"type":"subscribe","channels":"c"}', 'bad_field'],
    ['channels that are an object', '{"type":"subscribe","channels":{"0":"c"}}', 'bad_field'],
    ['nested channels', '{"type":"subscribe","channels":[["c"]]}', 'bad_field'],
    ['null as a channel', '{"type":"subscribe","channels":[null]}', 'bad_field'],
    ['a fraction as a channel', '{"type":"subscribe","channels":[1.5]}', 'bad_field'],
    ['no channels', '{"type":"subscribe","channels":[]}', 'bad_field'],
    ['1,025 channels', many(1_025), 'bad_field'],
    ['a million channels', many(1_000_000), 'bad_json'],
    ['no data', '{"type":"publish","channels":["c"]}', 'bad_field'],
    ['data of depth 5,000', deep(5_000), 'bad_json'],
    ['an id that is no number', '{"type":"publish","id":1e400,"channels":["c"],"data":1}', 'bad_field'],
    ['half of a surrogate pair', '{"type":"publish","channels":["c"],"data":"\\ud800"}', 'bad_field'],
    ['pollution', '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}', 'bad_field'],
  ])('%s', async (_name, text, code) => {
    const { hub, port } = await startHub();
    const peer = await JsonPeer.connect(port);
    peer.sendText(text);
    expect(await peer.take('error')).toMatchObject({ code });
    peer.send({ type: 'publish', id: 'next', channels: ['c'], data: 1 });
    await peer.take('published');
    expect(hub.stats()).toMatchObject({
      subscriptions: 0,
      published: 1,
      closed: {},
      rejected: { [code]: 1 },
    });
  });

  test('bytes that are not UTF-8', async () => {
    const { port } = await startHub();
    const peer = await JsonPeer.connect(port);
    peer.link.send(encodeFrame(Buffer.from('7b2274797065223a22ff227d', 'hex')));
    expect(await peer.take('error')).toMatchObject({ code: 'bad_json' });
  });

  test('integers are channels: 123 and "123" are one', async () => {
    const { hub, port } = await startHub();
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'subscribe', channels: [123, '123'] });
    await peer.take('subscribed');
    peer.send({ type: 'publish', channels: [123], data: 'x' });
    expect(await peer.take('event')).toMatchObject({ channel: '123', data: 'x' });
    expect(hub.stats()).toMatchObject({ channels: 1, subscriptions: 1, delivered: 1 });
  });
});

function many(count: number): string {
  return JSON.stringify({
    type: 'subscribe',
    channels: Array.from({ length: count }, (_, index) => `${index}`),
  });
}

function deep(depth: number): string {
  return `{"type":"publish","channels":["c"],"data":${'['.repeat(depth)}${']'.repeat(depth)}}`;
}

/** A PUBLISH to a channel that the encoder would reject. */
function publishTo(name: string): Uint8Array {
  const bytes = Buffer.from(name);
  const fields = TEXT_FIELDS;
  const frame = native.encodePublish({ channel: 'a', ...fields, payload: new Uint8Array(bytes.length) });
  // The length of the name is the third field; the rest is payload.
  frame[6] = bytes.length >>> 8;
  frame[7] = bytes.length;
  frame.set(bytes, native.PUBLICATION_HEADER_BYTES);
  return frame;
}
