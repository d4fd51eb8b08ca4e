import { describe, expect, test } from 'vitest';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { PhpPeer } from '../testing/php-peer.ts';
import { closedAs, startHub, until } from '../testing/start-hub.ts';

const HELLO = 's:5:"hello";';

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `user:${index}`);
}

/** A request with serialized values as names; each byte is a character. */
function request(type: string, channels: readonly string[], data?: string): Buffer {
  const list = channels.map((channel, index) => `i:${index};${channel}`).join('');
  const fields = data === undefined ? 2 : 3;
  const end = data === undefined ? '}' : `s:4:"data";${data}}`;
  const text = `a:${fields}:{s:4:"type";s:${type.length}:"${type}";s:8:"channels";a:${channels.length}:{${list}}${end}`;
  return Buffer.from(text, 'latin1');
}

describe('a PHP request with very many names', () => {
  test.each([1_025, 1_500, 20_000])(
    'subscribes to %i events, and continues with the next request',
    async (count) => {
      const { hub, port } = await startHub();
      const peer = await PhpPeer.connect(port);
      const events = names(count);
      peer.send('subscribe', events);
      // Received during the request, and handled after it.
      peer.send('publish', [`user:${count - 1}`], HELLO);
      expect(await peer.take()).toEqual({ type: 'event', channel: `user:${count - 1}`, data: HELLO });
      expect(hub.stats()).toMatchObject({ subscriptions: count, closed: {}, rejected: {} });
      peer.send('unsubscribe', events);
      peer.send('subscribe', ['last']);
      peer.send('publish', ['last'], HELLO);
      expect(await peer.take()).toMatchObject({ channel: 'last' });
      expect(hub.stats().subscriptions).toBe(1);
    },
  );

  test.each([
    ['the memory engine', () => new MemoryEngine()],
    ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
  ])(
    'publishes to 3,000 events in their order, from a peer that leaves at once, on %s',
    async (_name, create) => {
      const { hub, port } = await startHub({ engine: create() });
      const peer = await PhpPeer.connect(port);
      const events = names(3_000);
      peer.send('subscribe', events);
      await until(() => hub.stats().subscriptions === 3_000);
      const gone = await PhpPeer.connect(port);
      gone.send('publish', events, HELLO);
      gone.send('publish', ['user:7'], 's:4:"last";');
      gone.link.close();
      for (const channel of events)
        expect(await peer.take()).toEqual({ type: 'event', channel, data: HELLO });
      expect(await peer.take()).toMatchObject({ channel: 'user:7', data: 's:4:"last";' });
    },
  );

  test('leaves the event loop to other peers while it is handled', async () => {
    const { hub, port } = await startHub();
    const [many, other] = [await PhpPeer.connect(port), await PhpPeer.connect(port)];
    other.send('subscribe', ['e']);
    await until(() => hub.stats().subscriptions === 1);
    many.send('subscribe', names(50_000));
    await until(() => hub.stats().subscriptions > 1);
    other.send('publish', ['e'], HELLO);
    expect(await other.takeData()).toBe(HELLO);
    expect(hub.stats().subscriptions).toBeLessThan(50_001);
    await until(() => hub.stats().subscriptions === 50_001);
  });

  test('ends with its peer, and leaves nothing behind', async () => {
    const { hub, port } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.send('subscribe', names(50_000));
    await until(() => hub.stats().subscriptions > 0);
    await hub.close();
    expect(hub.stats()).toMatchObject({ connectedPeers: 0, subscriptions: 0, channels: 0 });
    await new Promise(setImmediate);
    expect(hub.stats()).toMatchObject({ subscriptions: 0, channels: 0 });
  });

  test('whose publications in total are longer than a frame is rejected as a whole', async () => {
    const { hub, port } = await startHub({ frameBytesMax: 1_000_000 });
    const peer = await PhpPeer.connect(port);
    peer.send('subscribe', ['user:0']);
    peer.send('publish', names(8_000), HELLO);
    peer.send('publish', ['user:0'], 'i:1;');
    expect(await peer.takeData()).toBe('i:1;');
    expect(hub.stats().rejected).toEqual({ bad_length: 1 });
  });

  test('that publishes data with a longer form for others is rejected by its longest form', async () => {
    const { hub, port } = await startHub({ frameBytesMax: 1_000_000 });
    const peer = await PhpPeer.connect(port);
    peer.send('subscribe', ['user:0']);
    // A control character takes six bytes as JSON.
    const control = `a:1:{i:0;s:400:"${'\u0001'.repeat(400)}";}`;
    peer.send('publish', names(1_500), control);
    peer.send('publish', names(200), control);
    expect(await peer.takeData()).toBe(control);
    expect(hub.stats().rejected).toEqual({ bad_length: 1 });
    expect(hub.stats().published).toBe(200);
  });

  test('enqueues as many, and delivers as many round-robin', async () => {
    const { hub, port } = await startHub();
    const [peer, producer] = [await PhpPeer.connect(port), await PhpPeer.connect(port)];
    const events = names(2_000);
    peer.send('subscribe', events);
    await until(() => hub.stats().subscriptions === 2_000);
    producer.send('publishLoop', events, HELLO);
    producer.send('enqueue', events, HELLO);
    for (const channel of events) expect(await peer.take()).toMatchObject({ channel });
    await until(() => hub.stats().queues.queues === 2_000);
  });
});

describe('an invalid name', () => {
  const BAD: readonly (readonly [kind: string, name: string, detail: RegExp])[] = [
    ['empty', 's:0:"";', /is empty/],
    ['bytes of another encoding', 's:2:"\xc4\xe3";', /is not UTF-8/],
    ['321 bytes', `s:321:"${'x'.repeat(321)}";`, /longer than 320 bytes/],
    ['a control character', 's:2:"a\n";', /control character/],
    ['null', 'N;', /neither a string nor an integer/],
    ['a float', 'd:1.5;', /neither a string nor an integer/],
    ['an array', 'a:1:{i:0;s:1:"x";}', /neither a string nor an integer/],
  ];

  test.each(BAD)(
    '%s is dropped and counted, and the rest of the request is carried out',
    async (_kind, bad, detail) => {
      const { hub, port, lines } = await startHub();
      const peer = await PhpPeer.connect(port);
      peer.sendBody(request('subscribe', [bad, 's:1:"e";']));
      peer.sendBody(request('publish', ['s:1:"e";', bad], HELLO));
      expect(await peer.takeData()).toBe(HELLO);
      peer.sendBody(request('publishLoop', [bad, 's:1:"e";'], HELLO));
      expect(await peer.takeData()).toBe(HELLO);
      peer.sendBody(request('watch', [bad, 's:1:"q";']));
      peer.sendBody(request('enqueue', [bad, 's:1:"q";'], 'i:5;'));
      peer.send('reserve');
      expect(await peer.take()).toEqual({ type: 'queue', channel: 'q', data: 'i:5;' });
      peer.sendBody(request('unwatch', [bad, 's:1:"q";']));
      peer.sendBody(request('unsubscribe', [bad, 's:1:"e";']));
      await until(() => hub.stats().rejected.bad_channel === 4);
      expect(hub.stats()).toMatchObject({ connectedPeers: 1, closed: {}, subscriptions: 0 });
      expect(hub.stats().rejected).toEqual({ bad_channel: 4, bad_queue: 3 });
      const warnings = lines.filter(({ level }) => level === 'warn');
      // One line per kind, for any number of repetitions.
      expect(warnings).toMatchObject([
        { fields: { reason: 'bad_channel', detail: expect.stringMatching(detail) } },
        { fields: { reason: 'bad_queue', detail: expect.stringMatching(detail) } },
      ]);
    },
  );

  test.each([
    ['a queue to watch', 'watch', `s:256:"${'x'.repeat(256)}";`],
    ['a queue to fill', 'enqueue', `s:256:"${'x'.repeat(256)}";`],
    ['a dead-letter queue to fill', 'enqueue', 's:7:"$dead:a";'],
  ])('%s is dropped, too', async (_name, type, bad) => {
    const { hub, port, lines } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.sendBody(request(type, [bad, 's:1:"q";'], type === 'enqueue' ? HELLO : undefined));
    await until(() => hub.stats().queues.queues === 1);
    expect(hub.stats()).toMatchObject({ rejected: { bad_queue: 1 }, closed: {} });
    expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { reason: 'bad_queue' } });
  });

  test('an object among the names is rejected', async () => {
    const { hub, port } = await startHub();
    const peer = await PhpPeer.connect(port);
    peer.sendBody(request('subscribe', ['O:8:"stdClass":0:{}']));
    await closedAs(hub, 'bad_frame');
  });
});

describe('events and queues beyond the limits of a peer', () => {
  test('are dropped and counted: the first ones are subscribed to, again after each reconnect', async () => {
    const { hub, port, lines } = await startHub({ channelsPerPeerMax: 200 });
    for (let connection = 1; connection <= 2; connection++) {
      const peer = await PhpPeer.connect(port);
      peer.send('subscribe', names(300));
      peer.send('publish', ['user:199', 'user:200', 'user:0'], HELLO);
      expect([(await peer.take()).channel, (await peer.take()).channel]).toEqual(['user:199', 'user:0']);
      expect(hub.stats().rejected).toEqual({ channel_limit: 100 * connection });
      expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { reason: 'channel_limit' } });
      peer.send('unsubscribe', ['user:5']);
      peer.send('subscribe', ['user:0', 'late']);
      peer.send('publish', ['late'], HELLO);
      expect(await peer.take()).toMatchObject({ channel: 'late' });
      expect(hub.stats()).toMatchObject({ subscriptions: 200, connectedPeers: 1 });
      peer.link.close();
      await until(() => hub.stats().connectedPeers === 0);
    }
  });

  test('a bridged event needs two subscriptions: it gets both or none', async () => {
    const { hub, port } = await startHub({ channelsPerPeerMax: 3 });
    const peer = await PhpPeer.connect(port);
    peer.send('subscribe', ['a', 'b', 'send_to_group', 'c']);
    peer.send('publish', ['c'], HELLO);
    expect(await peer.take()).toMatchObject({ channel: 'c' });
    expect(hub.stats()).toMatchObject({ subscriptions: 3, prefixes: 0, rejected: { channel_limit: 1 } });
  });

  test('queues are dropped alike', async () => {
    const { hub, port, lines } = await startHub({ queues: { watchesMax: 2 } });
    const peer = await PhpPeer.connect(port);
    peer.send('watch', ['a', 'b', 'c']);
    peer.send('reserve');
    peer.send('enqueue', ['b'], HELLO);
    expect(await peer.take()).toMatchObject({ channel: 'b' });
    expect(hub.stats()).toMatchObject({ rejected: { queue_limit: 1 }, closed: {} });
    expect(lines.at(-1)).toMatchObject({ level: 'warn', fields: { reason: 'queue_limit' } });
  });
});
