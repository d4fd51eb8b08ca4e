import { native } from '@groupcast/protocol';
import { describe, expect, test } from 'vitest';
import { JsonPeer } from '../testing/json-peer.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { PhpPeer } from '../testing/php-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

const META = '{ "uid":"ann", "n":1.0,"n":[9007199254740993] }';

/** A hub with a JSON and a native subscriber of the channel `c`, and a JSON publisher. */
async function start() {
  const { hub, port } = await startHub();
  const [publisher, json] = [await JsonPeer.connect(port), await JsonPeer.connect(port)];
  const native = await NativePeer.open(port);
  await native.subscribe(channel('c'));
  json.send({ type: 'subscribe', channels: ['c'] });
  const { positions } = await json.take('subscribed');
  return { hub, port, publisher, json, native, epoch: positions[0]!.epoch };
}

describe('meta', () => {
  test('is forwarded byte for byte, and kept in history', async () => {
    const { publisher, json, native, epoch } = await start();
    publisher.sendText(`{"type":"publish","id":1,"channels":["c"],"meta": ${META} ,"data":"hi"}`);
    expect(await publisher.take('published')).toMatchObject({ positions: [{ offset: 1 }] });
    const { time } = await json.take('event');
    expect(json.texts.at(-1)).toBe(
      `{"type":"event","channel":"c","offset":1,"time":${time},"data":"hi","meta":${META}}`,
    );
    const { publication } = await native.take('deliver');
    expect([publication.meta, publication.timeMs]).toEqual([META, time]);
    publisher.send({ type: 'history', id: 2, channel: 'c', epoch, offset: 0 });
    await publisher.take('history');
    expect(publisher.texts.at(-1)).toContain(
      `"messages":[{"offset":1,"time":${time},"data":"hi","meta":${META}}]`,
    );
  });

  test('of native peers that is no JSON object comes as a string, and cannot forge fields', async () => {
    const { native: publisher, json } = await start();
    for (const meta of ['{"a":1},"sender":"forged"', '{', '[1]', 'null', '"x"']) {
      const fields = { channel: 'c', kind: 'text', excludeSender: false, sender: '', messageId: '' } as const;
      publisher.link.send(native.encodePublish({ ...fields, meta, payload: 'hi', number: 0 }));
      const event = await json.take('event');
      expect([event.meta, event.sender]).toEqual([meta, undefined]);
    }
  });

  test('counts towards the bytes of a request', async () => {
    const { hub, port } = await startHub({ frameBytesMax: 100_000 });
    const peer = await JsonPeer.connect(port);
    const channels = Array.from({ length: 100 }, (_, index) => `c${index}`);
    const meta = { m: 'm'.repeat(1_000) };
    peer.send({ type: 'publish', id: 1, channels, data: 1, meta });
    expect(await peer.take('error')).toMatchObject({ id: 1, code: 'bad_length' });
    expect(hub.stats().published).toBe(0);
  });

  test('may have as many values as fit', async () => {
    const { publisher, json } = await start();
    const meta = `{"a":[0${',0'.repeat(2_040)}]}`;
    publisher.sendText(`{"type":"publish","channels":["c"],"data":1,"meta":${meta}}`);
    await json.take('event');
    expect(json.texts.at(-1)).toContain(`"meta":${meta}}`);
  });
});

describe('keyed publications', () => {
  test('have their key and life in events and history, and data "" removes the key', async () => {
    const { publisher, json, native, epoch } = await start();
    const keyed = { type: 'publish', channels: ['c'], key: 'ann' };
    publisher.send({ ...keyed, id: 1, data: { on: true }, life_ms: 60_000, message_id: 'm' });
    publisher.send({ ...keyed, id: 2, data: 'for ever', life_ms: 0 });
    publisher.send({ ...keyed, id: 3, data: '' });
    for (const id of [1, 2, 3]) expect(await publisher.take('published')).toMatchObject({ id });
    const [first, second, third] = [
      await json.take('event'),
      await json.take('event'),
      await json.take('event'),
    ];
    expect(first).toMatchObject({ offset: 1, data: { on: true }, key: 'ann', life_ms: 60_000 });
    expect(second).toMatchObject({ offset: 2, data: 'for ever', key: 'ann' });
    expect(second).not.toHaveProperty('life_ms');
    expect(third).toMatchObject({ offset: 3, data: '', key: 'ann' });
    expect((await native.take('deliver')).publication.keyed).toEqual({ key: 'ann', lifeMs: 60_000 });
    publisher.send({ type: 'history', id: 4, channel: 'c', epoch, offset: 0 });
    const { messages } = await publisher.take('history');
    expect(messages.map(({ key, data }) => [key, data])).toEqual([
      ['ann', { on: true }],
      ['ann', 'for ever'],
      ['ann', ''],
    ]);
  });
});

describe('ephemeral publications', () => {
  test('have the offset before them, and are in no history', async () => {
    const { publisher, json, native, epoch } = await start();
    const ephemeral = { type: 'publish', channels: ['c'], store: false, sender: 'ann', meta: { a: 1 } };
    publisher.send({ ...ephemeral, id: 1, data: 'first' });
    publisher.send({ type: 'publish', id: 2, channels: ['c'], data: 'stored' });
    publisher.send({ ...ephemeral, id: 3, data: 'second', exclude_sender: true });
    for (const [id, offset] of [
      [1, 0],
      [2, 1],
      [3, 1],
    ]) {
      expect(await publisher.take('published')).toMatchObject({ id, positions: [{ epoch, offset }] });
    }
    const [first, stored, second] = [
      await json.take('event'),
      await json.take('event'),
      await json.take('event'),
    ];
    const fields = { sender: 'ann', meta: { a: 1 }, store: false };
    expect(first).toMatchObject({ offset: 0, data: 'first', ...fields });
    expect(stored).toMatchObject({ offset: 1, data: 'stored' });
    expect(stored).not.toHaveProperty('store');
    expect(second).toMatchObject({ offset: 1, data: 'second', ...fields });
    expect((await native.take('deliver')).publication).toMatchObject({ ephemeral: true, number: 0 });
    publisher.send({ type: 'history', id: 4, channel: 'c', last: 9 });
    const { messages } = await publisher.take('history');
    expect(messages.map(({ data }) => data)).toEqual(['stored']);
  });

  test('with a message_id or a key are rejected, and the peer stays connected', async () => {
    const { hub, publisher } = await start();
    for (const field of [{ message_id: 'm' }, { key: 'k' }]) {
      publisher.send({ type: 'publish', id: 1, channels: ['c'], data: 1, store: false, ...field });
      expect(await publisher.take('error')).toMatchObject({ code: 'bad_field' });
    }
    expect(hub.stats()).toMatchObject({ published: 0, connectedPeers: 3 });
  });
});

describe('history', () => {
  test('with last has the newest messages, whatever the position', async () => {
    const { publisher, epoch } = await start();
    for (const data of [1, 2, 3, 4]) publisher.send({ type: 'publish', channels: ['c'], data });
    const history = { type: 'history', channel: 'c', last: 2 };
    for (const since of [{}, { epoch, offset: 0 }, { epoch: 'another', offset: 99 }]) {
      publisher.send({ ...history, ...since, id: 1 });
      const { verdict, offset, messages } = await publisher.take('history');
      expect([verdict, offset, messages.map(({ data }) => data)]).toEqual(['recovered', 4, [3, 4]]);
    }
    publisher.send({ ...history, id: 2, last: 1_000, limit: 3 });
    const { messages } = await publisher.take('history');
    expect(messages.map(({ data }) => data)).toEqual([1, 2, 3]);
    publisher.send({ type: 'history', id: 3, channel: 'empty', last: 5 });
    expect(await publisher.take('history')).toMatchObject({ verdict: 'recovered', messages: [] });
  });
});

test('PHP peers get publications with meta, with a key and without an offset as ordinary events', async () => {
  const { hub, port, publisher } = await start();
  const php = await PhpPeer.connect(port);
  php.send('subscribe', ['c', 'send_to_group']);
  await until(() => hub.stats().subscriptions === 5);
  publisher.send({ type: 'publish', channels: ['c'], data: 'hi', meta: { a: 1 }, key: 'k', life_ms: 9 });
  publisher.send({ type: 'publish', channels: ['c'], data: '', key: 'k' });
  publisher.send({ type: 'publish', groups: ['7'], data: [1], meta: { a: 1 }, key: 'k' });
  publisher.send({ type: 'publish', channels: ['c'], groups: ['7'], data: 'typing', store: false });
  const taken = [];
  for (let count = 0; count < 5; count++) taken.push(await php.take());
  expect(taken).toEqual([
    { type: 'event', channel: 'c', data: 's:2:"hi";' },
    { type: 'event', channel: 'c', data: 's:0:"";' },
    {
      type: 'event',
      channel: 'send_to_group',
      data: 'a:2:{s:8:"group_id";s:1:"7";s:7:"message";a:1:{i:0;i:1;}}',
    },
    { type: 'event', channel: 'c', data: 's:6:"typing";' },
    {
      type: 'event',
      channel: 'send_to_group',
      data: 'a:2:{s:8:"group_id";s:1:"7";s:7:"message";s:6:"typing";}',
    },
  ]);
});
