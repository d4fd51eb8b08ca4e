import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Engine } from '../src/engine/engine.ts';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { PhpPeer } from '../testing/php-peer.ts';
import { closedAs, startHub, until } from '../testing/start-hub.ts';

const ENGINES: [string, () => Engine][] = [
  ['the memory engine', () => new MemoryEngine()],
  ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
];

const HELLO = 's:5:"hello";';
const TO_123 = 'a:2:{s:8:"group_id";s:3:"123";s:7:"message";s:2:"hi";}';

describe.each(ENGINES)('the PHP dialect on %s', (_name, createEngine) => {
  async function start() {
    const running = await startHub({ engine: createEngine() });
    /** A peer whose subscriptions are active. */
    const subscriber = async (...events: (string | number)[]): Promise<PhpPeer> => {
      const peer = await PhpPeer.connect(running.port);
      const before = running.hub.stats().subscriptions;
      peer.send('subscribe', events);
      await until(() => running.hub.stats().subscriptions > before);
      return peer;
    };
    return { ...running, subscriber };
  }

  test('delivers publications of a PHP peer to the others, to the byte, and to itself', async () => {
    const { subscriber } = await start();
    const [one, two] = [await subscriber('news', 'other'), await subscriber('news')];
    const odd = Buffer.from('a:3:{i:5;d:1.0;s:1:"x";s:2:"\xff\xfe";s:3:"big";d:1.0E+25;}', 'latin1');
    for (const data of [HELLO, odd]) {
      one.send('publish', ['news'], data);
      const delivery = { type: 'event', channel: 'news', data: Buffer.from(data).toString('latin1') };
      expect(await one.take()).toEqual(delivery);
      expect(await two.take()).toEqual(delivery);
    }
    expect(one.inbox.all).toHaveLength(2);
  });

  test('accepts events with names of digits, and a second subscription to the same', async () => {
    const { hub, subscriber } = await start();
    const peer = await subscriber(123);
    peer.send('subscribe', ['123', '123']);
    peer.send('publish', [123], HELLO);
    expect(await peer.take()).toEqual({ type: 'event', channel: '123', data: HELLO });
    peer.send('publish', ['123'], 'i:7;');
    expect(await peer.takeData()).toBe('i:7;');
    expect(peer.inbox.all).toHaveLength(2);
    expect(hub.stats().subscriptions).toBe(1);
  });

  test('publishes to several events, and from a peer that leaves at once', async () => {
    const { port, subscriber } = await start();
    const peer = await subscriber('a', 'b');
    const gone = await PhpPeer.connect(port);
    gone.send('publish', ['b', 'unheard', 'a'], HELLO);
    gone.link.close();
    expect([(await peer.take()).channel, (await peer.take()).channel]).toEqual(['b', 'a']);
  });

  test('other dialects get text, bytes or JSON, and PHP gets serialized values', async () => {
    const { port, subscriber } = await start();
    const native = await NativePeer.open(port);
    await native.subscribe(channel('news'));
    const php = await subscriber('news');
    const sent = ['s:3:"日";', 's:2:"\xff\xfe";', 'a:2:{s:1:"f";d:1;i:7;b:1;}', 'N;'] as const;
    const payloads: [string, string][] = [];
    for (const data of sent)
      php.send('publish', ['news'], Buffer.from(data, data.includes('日') ? 'utf8' : 'latin1'));
    while (payloads.length < sent.length) {
      const { kind, payload } = (await native.take('deliver')).publication;
      payloads.push([kind, Buffer.from(payload).toString('latin1')]);
    }
    expect(payloads).toEqual([
      ['text', Buffer.from('日').toString('latin1')],
      ['bytes', '\xff\xfe'],
      ['json', '{"f":1.0,"7":true}'],
      ['json', 'null'],
    ]);
    for (const _ of sent) await php.take();
    await native.publish('news', 'back');
    expect(await php.takeData()).toBe('s:4:"back";');
  });

  test('bridges send_to_group to groups, and groups to it, in one order', async () => {
    const { port, subscriber } = await start();
    const gateway = await NativePeer.open(port);
    await gateway.subscribe(channel('group:123'));
    const php = await subscriber('send_to_group');
    php.send('publish', ['send_to_group'], TO_123);
    const { payload, kind, number } = (await gateway.take('deliver')).publication;
    expect([kind, Buffer.from(payload).toString()]).toEqual(['text', 'hi']);
    const position = await gateway.publish('group:123', 'これはメッセージです');
    expect(position.offset).toBe(number + 1);
    expect(await php.takeData()).toBe(TO_123);
    const message = Buffer.from('これはメッセージです').toString('latin1');
    expect(await php.take()).toEqual({
      type: 'event',
      channel: 'send_to_group',
      data: `a:2:{s:8:"group_id";s:3:"123";s:7:"message";s:30:"${message}";}`,
    });
  });

  test('bridged data pass from PHP to PHP unchanged, with all their keys', async () => {
    const { port, subscriber } = await start();
    const gateway = await NativePeer.open(port);
    await gateway.subscribe(channel('group:7'));
    const php = await subscriber('send_to_group');
    const data = 'a:3:{s:7:"message";a:1:{i:0;d:1;}s:8:"group_id";i:7;s:4:"from";s:2:"me";}';
    php.send('publish', ['send_to_group'], data);
    expect(await php.takeData()).toBe(data);
    const { payload, kind } = (await gateway.take('deliver')).publication;
    expect([kind, Buffer.from(payload).toString()]).toEqual(['json', '[1.0]']);
  });

  test.each([
    's:3:"odd";',
    'a:1:{s:8:"group_id";s:1:"1";}',
    'a:2:{s:8:"group_id";s:0:"";s:7:"message";i:1;}',
  ])('data that are no message to a group still reach PHP peers: %s', async (data) => {
    const { hub, subscriber } = await start();
    const php = await subscriber('send_to_group');
    php.send('publish', ['send_to_group'], data);
    expect(await php.takeData()).toBe(data);
    expect(hub.stats().channels).toBe(1);
  });

  test('nothing comes for an event after its unsubscribe was read, and nothing is left of it', async () => {
    const { hub, subscriber } = await start();
    const peer = await subscriber('a', 'send_to_group');
    peer.send('publish', ['a'], HELLO);
    expect(await peer.takeData()).toBe(HELLO);
    // In one write: the publication is on its way to the peer when it leaves.
    peer.send('publish', ['a', 'send_to_group'], TO_123);
    peer.send('unsubscribe', ['a', 'send_to_group', 'never']);
    await until(() => hub.stats().subscriptions === 0);
    peer.send('subscribe', ['last']);
    peer.send('publish', ['last'], HELLO);
    expect(await peer.take()).toMatchObject({ channel: 'last' });
    const { channels, prefixes } = hub.stats();
    expect({ channels, prefixes }).toEqual({ channels: 1, prefixes: 0 });
  });

  test('publishLoop goes to one subscriber after another', async () => {
    const { hub, port, subscriber } = await start();
    const peers = [await subscriber('turn'), await subscriber('turn'), await subscriber('turn')] as const;
    const publisher = await PhpPeer.connect(port);
    publisher.send('publishLoop', ['unheard'], HELLO);
    for (let index = 0; index < 6; index++) publisher.send('publishLoop', ['turn'], `i:${index};`);
    for (const [index, peer] of peers.entries()) {
      expect([await peer.takeData(), await peer.takeData()]).toEqual([`i:${index};`, `i:${index + 3};`]);
    }
    expect(hub.stats().php.unheard).toBe(1);
    peers[0].link.close();
    await until(() => hub.stats().connectedPeers === 3);
    for (let index = 0; index < 2; index++) publisher.send('publishLoop', ['turn'], HELLO);
    for (const peer of [peers[1], peers[2]]) expect(await peer.takeData()).toBe(HELLO);
  });

  test('a bridged event and others in one request are told apart', async () => {
    const { port, subscriber } = await start();
    const native = await NativePeer.open(port);
    await native.subscribe(channel('group:123'), channel('news'));
    const php = await subscriber('news', 'send_to_group');
    php.send('publish', ['send_to_group', 'news'], TO_123);
    const got = [await native.take('deliver'), await native.take('deliver')].map(({ publication }) => [
      publication.channel,
      publication.kind,
      Buffer.from(publication.payload).toString(),
    ]);
    expect(got).toEqual([
      ['group:123', 'text', 'hi'],
      ['news', 'json', '{"group_id":"123","message":"hi"}'],
    ]);
    expect([await php.takeData(), await php.takeData()]).toEqual([TO_123, TO_123]);
  });

  test('values that JSON cannot represent are counted', async () => {
    const { hub, subscriber } = await start();
    const peer = await subscriber('e');
    peer.send('publish', ['e'], 'a:2:{i:0;d:INF;i:1;d:NAN;}');
    expect(await peer.takeData()).toBe('a:2:{i:0;d:INF;i:1;d:NAN;}');
    expect(hub.stats().php.lossy).toBe(2);
  });
});

describe('a PHP peer', () => {
  test.each([
    ['an object', 'a:2:{s:4:"type";s:7:"publish";s:4:"data";O:8:"stdClass":0:{}}', 'bad_frame'],
    ['an unknown type', 'a:1:{s:4:"type";s:4:"ping";}', 'bad_frame'],
    ['another dialect', '{"type":"subscribe","channels":["c"]}', 'unknown_dialect'],
  ] as const)('that sends %s is closed without a word, and a line says why', async (_name, body, reason) => {
    const { hub, port, lines } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.send('subscribe', ['e']);
    peer.sendBody(body);
    await closedAs(hub, reason);
    expect(peer.inbox.all).toEqual([]);
    expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { reason } });
  });

  test('is not asked to leave when the hub drains, and is closed at its end', async () => {
    const { hub, port } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.send('subscribe', ['a']);
    await until(() => hub.stats().subscriptions === 1);
    await hub.drain({ windowMs: 50 });
    expect(peer.inbox.all).toEqual([]);
    expect(hub.stats().closed).toEqual({ hub_closed: 1 });
  });

  test('may be silent: pings are accepted, and not answered', async () => {
    const { port } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.link.send(Buffer.from('00000004', 'hex'));
    peer.send('subscribe', ['a']);
    peer.link.send(Buffer.from('00000004', 'hex'));
    peer.send('publish', ['a'], HELLO);
    expect(await peer.takeData()).toBe(HELLO);
    expect(peer.inbox.all).toHaveLength(1);
  });
});

describe('a short request that would expand beyond a frame', () => {
  const NAMES = Array.from({ length: 1_024 }, (_, index) => `e${index}`);
  const LONG = `s:200000:"${'x'.repeat(200_000)}";`;

  test.each(['publish', 'publishLoop', 'enqueue'])(
    '%s is rejected as a whole, and the peer stays connected',
    async (type) => {
      const { hub, port } = await startHub();
      const peer = await PhpPeer.connect(port);
      peer.send('subscribe', NAMES);
      peer.send(type, NAMES, LONG);
      peer.send('publish', ['e0'], HELLO);
      expect(await peer.takeData()).toBe(HELLO);
      expect(hub.stats().rejected).toEqual({ bad_length: 1 });
      expect(hub.stats().queues.queues).toBe(0);
    },
  );
});

test('deliveries of publishLoop count: a peer that does not read is closed at the limit', async () => {
  const { hub, port } = await startHub({ outputBytesMax: 4 * 1024 * 1024, outputCheckMs: 5 });
  const [reader, publisher] = [await PhpPeer.connect(port), await PhpPeer.connect(port)];
  reader.send('subscribe', ['e']);
  await until(() => hub.stats().subscriptions === 1);
  reader.link.pause();
  const data = `s:1000000:"${'x'.repeat(1_000_000)}";`;
  for (let sent = 0; sent < 16; sent++) publisher.send('publishLoop', ['e'], data);
  await closedAs(hub, 'evicted');
  expect(hub.stats().publisherPauses).toBeGreaterThan(0);
});

test('a peer that has unsubscribed gets no publishLoop any more', async () => {
  const { hub, port } = await startHub();
  const [leaves, stays, publisher] = [
    await PhpPeer.connect(port),
    await PhpPeer.connect(port),
    await PhpPeer.connect(port),
  ];
  for (const peer of [leaves, stays]) peer.send('subscribe', ['e']);
  await until(() => hub.stats().subscriptions === 2);
  // It does not read, so its socket stays open for a while.
  leaves.link.pause();
  publisher.send('publish', ['e'], `s:9000000:"${'x'.repeat(9_000_000)}";`);
  await stays.take();
  leaves.link.close();
  await until(() => hub.stats().subscriptions === 1);
  for (let index = 0; index < 10; index++) publisher.send('publishLoop', ['e'], `i:${index};`);
  for (let index = 0; index < 10; index++) expect(await stays.takeData()).toBe(`i:${index};`);
});

test('PHP can send back any value that it got, however deep and long: larger ones arrive as text', async () => {
  const { hub, port } = await startHub();
  const native = await NativePeer.open(port);
  const php = await PhpPeer.connect(port);
  php.send('subscribe', ['send_to_group', 'echo']);
  await until(() => hub.stats().prefixes === 1);
  for (const json of [
    '['.repeat(62) + ']'.repeat(62),
    '['.repeat(63) + ']'.repeat(63),
    `[${'0,'.repeat(9_990)}0]`,
  ]) {
    native.sendJson('group:1', json);
    const { data } = await php.take();
    php.send('publish', ['send_to_group'], data);
    expect((await php.take()).data).toBe(data);
  }
  expect(hub.stats().closed).toEqual({});
});

test('peers are limited over all sockets in total', async () => {
  const folder = mkdtempSync(`${tmpdir()}/groupcast-hub-`);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = `${folder}/hub.sock`;
  const { hub, port } = await startHub({ peersMax: 1, unixSocket: { path, mode: 0o600 } });
  const first = await PhpPeer.connect(port);
  first.send('subscribe', ['x']);
  await until(() => hub.peers()[0]?.state === 'open');
  const second = connect(path);
  await once(second, 'close');
  expect(hub.stats()).toMatchObject({ connectedPeers: 1, dropped: 1 });
});

describe('queues of PHP peers', () => {
  test('a peer that watches two queues and reserves by hand acknowledges each item with the next reserve', async () => {
    const { hub, port } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.send('watch', ['a']);
    peer.send('watch', ['b']);
    peer.send('enqueue', ['a'], 'i:1;');
    peer.send('reserve');
    expect(await peer.takeData()).toBe('i:1;');
    peer.send('reserve');
    await until(() => hub.stats().queues.done === 1);
    expect(hub.stats().queues).toMatchObject({ leased: 0, waiting: 0 });
  });

  test('an item goes to the peer that reserved, and its next reserve makes it done', async () => {
    const { hub, port } = await startHub();
    const [producer, consumer] = [await PhpPeer.connect(port), await PhpPeer.connect(port)];
    producer.send('enqueue', ['jobs'], 'a:1:{s:1:"n";d:1;}');
    producer.send('enqueue', ['jobs'], 'i:2;');
    consumer.send('watch', ['jobs']);
    consumer.send('reserve');
    expect(await consumer.take()).toEqual({ type: 'queue', channel: 'jobs', data: 'a:1:{s:1:"n";d:1;}' });
    expect(hub.stats().queues).toMatchObject({ waiting: 1, leased: 1, done: 0 });
    consumer.send('reserve');
    expect(await consumer.takeData()).toBe('i:2;');
    expect(hub.stats().queues).toMatchObject({ waiting: 0, leased: 1, done: 1 });
    consumer.send('reserve');
    await until(() => hub.stats().queues.done === 2);
  });

  test('an item whose consumer died comes back', async () => {
    const { port } = await startHub();
    const [producer, dies, lives] = [
      await PhpPeer.connect(port),
      await PhpPeer.connect(port),
      await PhpPeer.connect(port),
    ];
    dies.send('watch', ['jobs']);
    dies.send('reserve');
    producer.send('enqueue', ['jobs'], HELLO);
    expect(await dies.takeData()).toBe(HELLO);
    lives.send('watch', ['jobs']);
    lives.send('reserve');
    dies.link.destroy();
    expect(await lives.takeData()).toBe(HELLO);
  });

  test('watching a second queue acknowledges nothing', async () => {
    const { hub, port } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.send('enqueue', ['a'], 'i:1;');
    peer.send('watch', ['a']);
    peer.send('reserve');
    peer.send('watch', ['b']);
    peer.send('reserve');
    expect(await peer.takeData()).toBe('i:1;');
    peer.send('enqueue', ['b'], 'i:2;');
    expect(await peer.takeData()).toBe('i:2;');
    expect(hub.stats().queues).toMatchObject({ leased: 2, done: 0 });
  });

  test('nothing comes from a queue after its unwatch, and its items go to other consumers', async () => {
    const { hub, port } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.send('watch', ['a', 'b']);
    peer.send('reserve');
    peer.send('enqueue', ['a'], 'i:1;');
    peer.send('unwatch', ['a']);
    peer.send('enqueue', ['b'], 'i:2;');
    expect(await peer.take()).toMatchObject({ channel: 'b', data: 'i:2;' });
    expect(hub.stats().queues).toMatchObject({ waiting: 1, leased: 1, failed: 0, redelivered: 0 });
  });

  test('with phpAck delivery an item is done when it is delivered', async () => {
    const { hub, port } = await startHub({ phpAck: 'delivery' });
    const peer = await PhpPeer.connect(port);
    peer.send('watch', ['a']);
    peer.send('reserve');
    peer.send('enqueue', ['a'], 'i:1;');
    expect(await peer.takeData()).toBe('i:1;');
    expect(hub.stats().queues).toMatchObject({ queues: 1, leased: 0, done: 1 });
  });

  test('items of PHP are JSON, text or bytes for other dialects, and the other way round', async () => {
    const { port } = await startHub();
    const php = await PhpPeer.connect(port);
    const native = await NativePeer.open(port);
    php.send('enqueue', ['to-ts'], 'a:1:{s:1:"n";d:1;}');
    native.watch('to-ts', 1);
    const item = await native.take('item');
    expect([item.kind, Buffer.from(item.payload).toString()]).toEqual(['json', '{"n":1.0}']);
    await native.enqueue('to-php', 'hi');
    php.send('watch', ['to-php']);
    php.send('reserve');
    expect(await php.takeData()).toBe('s:2:"hi";');
  });

  test('a full queue rejects items, and counts those of producers that get no answer', async () => {
    const { hub, port } = await startHub({ queues: { itemsMax: 1 } });
    const peer = await PhpPeer.connect(port);
    for (const name of ['a', 'a', '$dead:a']) peer.send('enqueue', [name], HELLO);
    await until(() => hub.stats().rejected.bad_queue === 1);
    expect(hub.stats().rejected).toEqual({ queue_full: 1, bad_queue: 1 });
    expect(hub.stats().connectedPeers).toBe(1);
  });
});
