import { native } from '@groupcast/protocol';
import { TEXT_FIELDS } from '@groupcast/testkit/in-process';
import { describe, expect, test } from 'vitest';
import type { Engine } from '../src/engine/engine.ts';
import type { HistoryLimits } from '../src/engine/memory/history-limits.ts';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer, prefix } from '../testing/native-peer.ts';
import { connectRaw } from '../testing/raw-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

const EMPTY = {
  connectedPeers: 0,
  pendingPeers: 0,
  channels: 0,
  prefixes: 0,
  subscriptions: 0,
  engineChannels: 0,
  bufferedBytes: 0,
};

const ENGINES: [string, (limits?: Partial<HistoryLimits>) => Engine][] = [
  ['the memory engine', (limits) => new MemoryEngine(limits)],
  ['an engine that answers late', (limits) => new LateEngine(new MemoryEngine(limits))],
];

describe.each(ENGINES)('a hub on %s', (_name, createEngine) => {
  test('delivers a publication to all subscribers of its channel, the publisher included, and answers with its position', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const [one, other, stranger] = await openPeers(port, 3);
    const [entry] = await one.subscribe(channel('group:1'));
    await other.subscribe(channel('group:1'), channel('group:2'));
    const position = await one.publish('group:1', 'これはメッセージです');
    expect(entry).toMatchObject({ name: 'group:1', prefix: false });
    expect(position).toEqual({ epoch: entry?.position.epoch, offset: (entry?.position.offset ?? 0) + 1 });
    for (const peer of [one, other]) {
      const { publication } = await peer.take('deliver');
      expect(publication).toMatchObject({ channel: 'group:1', kind: 'text', number: position.offset });
      expect(Buffer.from(publication.payload).toString()).toBe('これはメッセージです');
    }
    await stranger.settle();
    expect(stranger.deliverFrames).toEqual([]);
  });

  test('forwards the bytes of the PUBLISH: only opcode, number and time change', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const [one, other] = await openPeers(port, 2);
    await other.subscribe(channel('c'));
    const payloads = [new Uint8Array(), Uint8Array.of(0, 255, 128, 10), new Uint8Array(300_000).fill(0xc3)];
    for (const kind of ['text', 'json', 'bytes'] as const) {
      for (const payload of payloads) {
        const names = { channel: 'c', sender: 'クライアント', messageId: `${kind}-${payload.length}` };
        const publish = native.encodePublish({ ...names, kind, excludeSender: true, payload, number: 0 });
        const expected = publish.slice();
        one.link.send(publish);
        const { publication } = await other.take('deliver');
        native.turnIntoDeliver(expected, publication.number, publication.timeMs);
        expect(Buffer.compare(other.deliverFrames.at(-1)!, expected)).toBe(0);
      }
    }
  });

  test('a payload of any length and any bytes arrives unchanged', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const [one, other] = await openPeers(port, 2);
    await other.subscribe(channel('c'));
    // Lengths around those of reads, and every byte at every index of the shorter ones.
    const lengths = [...Array(300).keys(), 65_499, 65_500, 65_535, 65_536, 65_537, 1_000_003];
    const payloads = lengths.map((length) => Uint8Array.from({ length }, (_, at) => (at * 7 + length) % 256));
    const fields = { kind: 'bytes', excludeSender: false, sender: '', messageId: '', number: 0 } as const;
    for (const payload of payloads) one.link.send(native.encodePublish({ channel: 'c', ...fields, payload }));
    for (const payload of payloads) {
      const { publication } = await other.take('deliver');
      expect(Buffer.compare(publication.payload, payload)).toBe(0);
    }
  });

  test('all subscribers see the publications of two publishers in one order', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const members = await openPeers(port, 4);
    for (const member of members) await member.subscribe(channel('c'));
    const publishers = await openPeers(port, 2);
    const count = 500;
    for (let index = 0; index < count; index++) {
      for (const [name, publisher] of publishers.entries()) publisher.sendPublish('c', `${name} ${index}`);
      if (index % 50 === 0) await publishers[index % 2]!.settle();
    }
    const orders: string[][] = [];
    for (const member of members) {
      const order: string[] = [];
      while (order.length < 2 * count) order.push(await member.takeText());
      orders.push(order);
      const offsets = member.inbox.all.flatMap((message) =>
        message.type === 'deliver' ? [message.publication.number] : [],
      );
      expect(offsets).toEqual(Array.from({ length: 2 * count }, (_, index) => offsets[0]! + index));
    }
    expect(new Set(orders.map((order) => order.join())).size).toBe(1);
    for (const name of ['0', '1']) {
      const own = orders[0]!.filter((text) => text.startsWith(name));
      expect(own).toEqual(Array.from({ length: count }, (_, index) => `${name} ${index}`));
    }
  });

  test('serves prefixes, and delivers one copy to a peer that is subscribed twice', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const [one] = await openPeers(port, 1);
    const entries = await one.subscribe(prefix('group:'), channel('group:1'), prefix('group:1'));
    const position = { epoch: '', offset: 0 };
    expect(entries[0]).toEqual({ name: 'group:', prefix: true, position, epochIs: 'same' });
    await one.publish('group:1', 'a');
    await one.publish('group:2', 'b');
    await one.publish('other', 'c');
    one.unsubscribe(prefix('group:'), channel('group:1'));
    await one.settle();
    await one.publish('group:1', 'd');
    await one.publish('group:2', 'e');
    expect([await one.takeText(), await one.takeText(), await one.takeText()]).toEqual(['a', 'b', 'd']);
    expect(one.deliverFrames).toHaveLength(3);
    expect(hub.stats().delivered).toBe(3);
  });

  test('confirms the subscription before the first publication, and delivers nothing after an unsubscribe', async () => {
    const { port } = await startHub({ engine: createEngine() });
    const [member, publisher] = await openPeers(port, 2);
    for (let round = 1; round <= 20; round++) {
      publisher.sendPublish('c', 'x');
      member.sendSubscribe(channel('c'));
      const before = member.deliverFrames.length;
      while (member.deliverFrames.length === before) await publisher.publish('c', 'x');
      member.unsubscribe(channel('c'));
      await member.settle();
      const after = member.deliverFrames.length;
      await publisher.publish('c', 'x');
      await member.settle();
      expect(member.deliverFrames).toHaveLength(after);
    }
    let last = Number.NaN;
    for (const message of member.inbox.all) {
      if (message.type === 'subscribed') last = message.entries[0]!.position.offset;
      if (message.type !== 'deliver') continue;
      expect(message.publication.number).toBe(last + 1);
      last = message.publication.number;
    }
  });

  test('subscribing again is answered again, and changes nothing', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const [one] = await openPeers(port, 1);
    await one.subscribe(channel('c'));
    await one.subscribe(channel('c'), channel('c'));
    await one.publish('c', 'a');
    await one.settle();
    expect(one.deliverFrames).toHaveLength(1);
    expect(hub.stats().subscriptions).toBe(1);
  });

  test('rejects a subscribe above the limit of channels as a whole, and stays connected', async () => {
    const { hub, port } = await startHub({ engine: createEngine(), channelsPerPeerMax: 3 });
    const [one] = await openPeers(port, 1);
    await one.subscribe(channel('a'), channel('b'));
    const request = one.sendSubscribe(channel('c'), prefix('c'));
    expect(await one.take('error')).toMatchObject({ request, code: 'channel_limit' });
    expect(hub.stats()).toMatchObject({ subscriptions: 2, rejected: { channel_limit: 1 } });
    // Existing subscriptions do not count again.
    await one.subscribe(channel('a'), channel('b'), channel('c'), channel('c'));
    expect(hub.stats().subscriptions).toBe(3);
  });

  test('writes nothing to a peer that is not subscribed', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const [member, stranger, publisher] = await openPeers(port, 3);
    await member.subscribe(channel('c'));
    await stranger.subscribe(channel('other'));
    const before = stranger.link.bytesReceived;
    for (let index = 0; index < 100; index++) await publisher.publish('c', 'x');
    while (member.deliverFrames.length < 100) await member.takeText();
    expect(stranger.link.bytesReceived).toBe(before);
    const rows = hub.peers();
    expect(rows.map((row) => [row.received, row.delivered])).toEqual([
      [0, 100],
      [0, 0],
      [100, 0],
    ]);
    expect(hub.stats()).toMatchObject({ published: 100, delivered: 100 });
  });

  test('keeps nothing when all have left, once history is past its age', async () => {
    const { hub, port } = await startHub({ engine: createEngine({ ageMs: 50 }) });
    const peers = await openPeers(port, 4);
    for (const [index, peer] of peers.entries()) {
      await peer.subscribe(...Array.from({ length: 100 }, (_, name) => channel(`c${index * 50 + name}`)));
      await peer.subscribe(prefix(`c${index}`));
      peer.sendSubscribe(channel('not answered yet'));
      peer.sendPublish('c1', 'x');
    }
    peers[0]!.unsubscribe(...Array.from({ length: 100 }, (_, name) => channel(`c${name}`)));
    await peers[0]!.settle();
    peers[1]!.link.destroy();
    peers[2]!.link.close();
    peers[0]!.link.close();
    peers[3]!.link.destroy();
    await until(() => hub.stats().connectedPeers === 0 && hub.stats().history.bytes === 0);
    expect(hub.stats()).toMatchObject({ ...EMPTY, history: { publications: 0, positions: 0 } });
    expect(hub.peers()).toEqual([]);
  });

  test('a publisher that dies in the middle of a frame has published nothing', async () => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const [member] = await openPeers(port, 1);
    await member.subscribe(channel('c'));
    const socket = await connectRaw(port);
    const nonce = new Uint8Array(32);
    const frame = native.encodePublish({
      channel: 'c',
      ...TEXT_FIELDS,
      payload: new Uint8Array(1_000),
      number: 0,
    });
    socket.write(native.encodeHello({ version: 1, nonce, name: '' }));
    socket.end(frame.subarray(0, frame.length - 1));
    await until(() => hub.stats().connectedPeers === 1);
    await member.settle();
    expect(member.deliverFrames).toEqual([]);
    expect(hub.stats().published).toBe(1);
  });
});

async function openPeers<Count extends number>(port: number, count: Count): Promise<Peers<Count>> {
  const peers = await Promise.all(Array.from({ length: count }, () => NativePeer.open(port)));
  return peers as Peers<Count>;
}

// A tuple, so that destructured elements are defined.
type Peers<Count extends number> = Count extends 1
  ? [NativePeer]
  : Count extends 2
    ? [NativePeer, NativePeer]
    : Count extends 3
      ? [NativePeer, NativePeer, NativePeer]
      : NativePeer[];
