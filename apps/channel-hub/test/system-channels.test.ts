import { createNonce, createProof } from '@groupcast/link';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../src/engine/engine.ts';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { createHub } from '../src/hub.ts';
import { JsonPeer } from '../testing/json-peer.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer, prefix } from '../testing/native-peer.ts';
import { PhpPeer } from '../testing/php-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

const SECRET = 'a secret of more than sixteen bytes';
const NAMES = ['$user:ann', '$', 'group:$staff', 'group:$'];

const ENGINES: [string, () => Engine][] = [
  ['the memory engine', () => new MemoryEngine()],
  ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
];

/** A JSON peer that has proved the secret. */
async function provenJsonPeer(port: number): Promise<JsonPeer> {
  const peer = await JsonPeer.connect(port);
  const nonce = createNonce();
  peer.send({ type: 'hello', version: 1, nonce: hex(nonce) });
  const challenge = await peer.take('challenge');
  const proof = createProof(SECRET, 'peer', nonce, Buffer.from(challenge.nonce, 'hex'));
  peer.send({ type: 'proof', proof: hex(proof) });
  await peer.take('welcome');
  return peer;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

describe.each(ENGINES)('channels of the system on %s', (_name, createEngine) => {
  test.each(NAMES)('%s is open to native peers, with a secret and without', async (name) => {
    for (const secret of [undefined, SECRET]) {
      const engine = createEngine();
      const { port } = await startHub({ engine, ...(secret === undefined ? {} : { secret }) });
      const peer = await NativePeer.open(port, secret);
      const [entry] = await peer.subscribe(channel(name));
      peer.sendPublish(name, 'in a run');
      expect((await peer.publish(name, 'alone', 'm1')).offset).toBe(2);
      expect([await peer.takeText(), await peer.takeText()]).toEqual(['in a run', 'alone']);
      expect((await peer.history(name, entry!.position)).publications).toHaveLength(2);
    }
  });

  test.each(NAMES)('%s is open to JSON peers that have proved the secret', async (name) => {
    const { port } = await startHub({ engine: createEngine(), secret: SECRET });
    const peer = await provenJsonPeer(port);
    peer.send({ type: 'subscribe', id: 1, channels: [name] });
    await peer.take('subscribed');
    peer.send({ type: 'publish', id: 2, channels: [name], data: 'hi' });
    await peer.take('published');
    expect(await peer.take('event')).toMatchObject({ channel: name, data: 'hi' });
    peer.send({ type: 'history', id: 3, channel: name, epoch: '', offset: 0 });
    expect(await peer.take('history')).toMatchObject({ offset: 1 });
  });

  test.each(NAMES)('%s is forbidden to other JSON peers, which stay connected', async (name) => {
    for (const secret of [undefined, SECRET]) {
      const engine = createEngine();
      const { hub, port } = await startHub({ engine, ...(secret === undefined ? {} : { secret }) });
      const peer = await JsonPeer.connect(port);
      const names = ['ordinary', name];
      peer.send({ type: 'subscribe', id: 1, channels: names });
      peer.send({ type: 'publish', id: 2, channels: names, data: 'hi' });
      peer.send({ type: 'history', id: 3, channel: name, epoch: '', offset: 0 });
      peer.send({ type: 'publish', channels: names, data: 'without an id' });
      for (const id of [1, 2, 3, undefined]) {
        const error = await peer.take('error');
        expect(error).toMatchObject({ code: 'forbidden', message: expect.stringContaining(name) });
        expect(error.id).toBe(id);
      }
      // The request as a whole is rejected, and nothing of the name is in the hub.
      expect(hub.stats()).toMatchObject({ published: 0, subscriptions: 0, channels: 0, engineChannels: 0 });
      peer.send({ type: 'unsubscribe', id: 4, channels: [name] });
      await peer.take('unsubscribed');
      expect(hub.stats().rejected).toEqual({ forbidden: 4 });
    }
  });

  test.each(['$', '$user:', 'group:$', 'group:$st'])('the prefix %s is forbidden to all', async (name) => {
    const { hub, port } = await startHub({ engine: createEngine(), secret: SECRET });
    const native = await NativePeer.open(port, SECRET);
    const request = native.sendSubscribe(channel('ordinary'), prefix(name));
    expect(await native.take('error')).toMatchObject({
      request,
      code: 'forbidden',
      message: expect.stringContaining(name),
    });
    const json = await provenJsonPeer(port);
    json.send({ type: 'subscribe', id: 1, prefixes: [name] });
    expect(await json.take('error')).toMatchObject({ id: 1, code: 'forbidden' });
    expect(hub.stats().subscriptions).toBe(0);
  });

  test('a shorter prefix gets no publication of the system', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const [native, publisher] = [await NativePeer.open(port), await NativePeer.open(port)];
    await native.subscribe(prefix('g'), prefix('group:'), channel('group:$known'));
    const json = await JsonPeer.connect(port);
    json.send({ type: 'subscribe', prefixes: ['group:', 'group'] });
    await json.take('subscribed');
    publisher.sendPublish('group:$staff', 'in a run');
    publisher.sendPublish('group:$known', 'by its name');
    await publisher.publish('group:$staff', 'alone', 'm1');
    publisher.sendPublishWith('group:$staff', 'ephemeral', { ephemeral: true }, 0);
    publisher.sendPublish('group:staff', 'ordinary');
    await publisher.publish('group:staff', 'ordinary, too', 'm2');
    const texts = [await native.takeText(), await native.takeText(), await native.takeText()];
    expect(texts).toEqual(['by its name', 'ordinary', 'ordinary, too']);
    expect(await json.take('event')).toMatchObject({ data: 'ordinary' });
    expect(await json.take('event')).toMatchObject({ data: 'ordinary, too' });
  });

  test('queues are free of this rule', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const peer = await JsonPeer.connect(port);
    peer.send({ type: 'watch', queue: '$dead:jobs' });
    peer.send({ type: 'enqueue', queue: '$jobs', data: 1 });
    peer.send({ type: 'watch', queue: '$jobs' });
    expect(await peer.take('item')).toMatchObject({ queue: '$jobs' });
  });
});

test('a peer that must prove itself is unauthorized first', async () => {
  const { port } = await startHub({ secret: SECRET, localTrust: false });
  const peer = await JsonPeer.connect(port);
  peer.send({ type: 'publish', id: 1, channels: ['$user:ann'], data: 1 });
  expect(await peer.take('error')).toMatchObject({ code: 'unauthorized' });
  await expect(peer.take('error')).rejects.toThrow('ended');
});

describe('PHP peers', () => {
  test.each(['subscribe', 'publish', 'publishLoop'])(
    '%s drops and counts names of the system',
    async (type) => {
      const { hub, port, lines } = await startHub();
      const watcher = await NativePeer.open(port);
      await watcher.subscribe(...NAMES.map(channel), channel('news'));
      const subscribed = hub.stats().subscriptions;
      const php = await PhpPeer.connect(port);
      php.send('subscribe', ['news']);
      php.send(type, [...NAMES, 'news'], 's:2:"hi";');
      php.send('publish', ['news'], 's:4:"last";');
      const got: string[] = [];
      while (got.at(-1) !== 's:4:"last";') got.push(await php.takeData());
      expect(got).toEqual(type === 'subscribe' ? ['s:4:"last";'] : ['s:2:"hi";', 's:4:"last";']);
      expect(hub.stats().rejected).toEqual({ forbidden: NAMES.length });
      expect(hub.stats().subscriptions).toBe(subscribed + 1);
      expect(lines.filter(({ message }) => message.includes('rop'))).toHaveLength(1);
      while ((await watcher.takeText()) !== 'last');
      const channels = watcher.inbox.all.flatMap((message) =>
        message.type === 'deliver' ? [message.publication.channel] : [],
      );
      expect(new Set(channels)).toEqual(new Set(['news']));
    },
  );

  test('a message to a group of the system stays an event of PHP, and is counted', async () => {
    const { hub, port } = await startHub();
    const member = await NativePeer.open(port);
    await member.subscribe(channel('group:$staff'), channel('group:staff'), channel('send_to_group'));
    const php = await PhpPeer.connect(port);
    php.send('subscribe', ['send_to_group', 'group:staff']);
    await until(() => hub.stats().subscriptions === 6);
    const data = 'a:2:{s:8:"group_id";s:6:"$staff";s:7:"message";s:2:"hi";}';
    php.send('publish', ['send_to_group'], data);
    expect(await php.take()).toEqual({ type: 'event', channel: 'send_to_group', data });
    const { publication } = await member.take('deliver');
    expect(publication).toMatchObject({ channel: 'send_to_group', kind: 'json' });
    expect(hub.stats().php).toMatchObject({ systemGroups: 1 });
    expect(hub.stats().rejected).toEqual({});
  });

  test('an event with a name of the system cannot be bridged', () => {
    expect(() => createHub({ phpBridge: ['send_to_group', '$event'] })).toThrow(/phpBridge/);
  });

  test('the bridge gets no message of a group of the system', async () => {
    const { hub, port } = await startHub();
    const php = await PhpPeer.connect(port);
    php.send('subscribe', ['send_to_group']);
    await until(() => hub.stats().subscriptions === 2);
    const native = await NativePeer.open(port);
    native.sendPublish('group:$staff', 'secret');
    native.sendPublish('group:staff', 'hi');
    expect(await php.takeData()).toBe('a:2:{s:8:"group_id";s:5:"staff";s:7:"message";s:2:"hi";}');
  });
});
