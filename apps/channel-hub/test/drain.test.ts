import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { createHub } from '../src/hub.ts';
import { JsonPeer } from '../testing/json-peer.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { connectRaw } from '../testing/raw-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

/** A window or lease longer than any test: an earlier end has another reason. */
const LONG_MS = 600_000;

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const refused = new Promise<boolean>((resolve) => {
    socket.once('error', () => resolve(true)).once('connect', () => resolve(false));
  });
  const result = await refused;
  socket.destroy();
  return result;
}

describe.each([
  ['the memory engine', () => new MemoryEngine()],
  ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
])('a hub that drains, on %s', (_name, createEngine) => {
  test('asks native peers to leave, serves them until they have left, then closes', async () => {
    const { hub, port, lines } = await startHub({ engine: createEngine() });
    const peers = [await NativePeer.open(port), await NativePeer.open(port)];
    for (const peer of peers) await peer.subscribe(channel('c'));
    const drained = hub.drain({ windowMs: LONG_MS });
    for (const peer of peers) {
      const { reconnectAfterMs } = await peer.take('goaway');
      expect(reconnectAfterMs).toBeLessThanOrEqual(1_000);
    }
    expect(await isRefused(port)).toBe(true);
    // A publication on its way when the peer was asked is still accepted and delivered.
    const position = await peers[0]!.publish('c', 'late');
    expect(position.offset).toBeGreaterThan(0);
    expect(await peers[1]!.takeText()).toBe('late');
    const { page } = await peers[1]!.history('c', position);
    expect(page).toMatchObject({ verdict: 'recovered', position });
    for (const peer of peers) peer.link.close();
    await drained;
    expect(hub.stats()).toMatchObject({ connectedPeers: 0, subscriptions: 0, closed: { drained: 2 } });
    const messages = lines.map(({ message }) => message);
    expect(messages.filter((message) => message === 'Peer asked to leave')).toHaveLength(2);
    expect(lines.find(({ message }) => message.startsWith('Hub drained'))).toMatchObject({
      fields: { asked: 2, left: 2, closed: 0 },
    });
  });

  test('closes the peers that stay when the window is over', async () => {
    const { hub, port, lines } = await startHub({ engine: createEngine() });
    const [stays, leaves] = [await NativePeer.open(port), await NativePeer.open(port)];
    const drained = hub.drain({ windowMs: 50 });
    await leaves.take('goaway');
    leaves.link.close();
    expect(await stays.ended()).toBe('peer_closed');
    await drained;
    expect(hub.stats().closed).toEqual({ drained: 1, hub_closed: 1 });
    expect(lines.find(({ message }) => message.startsWith('Hub drained'))).toMatchObject({
      fields: { asked: 2, left: 1, closed: 1 },
    });
  });
});

describe('a hub that drains', () => {
  test('sends peers of other dialects nothing, and closes them when the native ones have left', async () => {
    const { hub, port } = await startHub();
    const native = await NativePeer.open(port);
    const json = await JsonPeer.connect(port);
    json.send({ type: 'subscribe', channels: ['c'] });
    await json.take('subscribed');
    const silent = await connectRaw(port);
    silent.resume();
    await until(() => hub.stats().connectedPeers === 3);
    const drained = hub.drain({ windowMs: LONG_MS });
    await native.take('goaway');
    await native.publish('c', 'last');
    expect(await json.take('event')).toMatchObject({ data: 'last' });
    const silentClosed = once(silent, 'close');
    native.link.close();
    await Promise.all([drained, silentClosed]);
    expect(json.inbox.all.map(({ type }) => type)).toEqual(['subscribed', 'event']);
    expect(hub.stats().closed).toEqual({ drained: 1, hub_closed: 2 });
  });

  test('closes at once without native peers, and if it never listened', async () => {
    const { hub, port } = await startHub();
    const json = await JsonPeer.connect(port);
    json.send({ type: 'subscribe', channels: ['c'] });
    await json.take('subscribed');
    await hub.drain({ windowMs: LONG_MS });
    expect(hub.stats().closed).toEqual({ hub_closed: 1 });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    await createHub({ port: 0 }).drain({ windowMs: LONG_MS });
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test('asks a peer to leave that was in its handshake', async () => {
    const secret = 'correct horse battery staple';
    const { hub, port } = await startHub({ secret });
    const [first, second] = [await NativePeer.open(port, secret), await NativePeer.connect(port)];
    second.hello();
    const challenge = await second.take('challenge');
    const drained = hub.drain({ windowMs: LONG_MS });
    await first.take('goaway');
    second.prove(secret, challenge);
    await second.take('goaway');
    expect(second.inbox.all.map(({ type }) => type)).toEqual(['challenge', 'welcome', 'goaway']);
    first.link.close();
    second.link.close();
    await drained;
    expect(hub.stats().closed).toEqual({ drained: 2 });
  });

  test('ends at once when it is closed, and drains once', async () => {
    const { hub, port } = await startHub();
    const peer = await NativePeer.open(port);
    const drained = hub.drain({ windowMs: LONG_MS });
    await peer.take('goaway');
    void hub.drain({ windowMs: LONG_MS });
    await Promise.all([hub.close(), drained]);
    expect(peer.inbox.all.filter(({ type }) => type === 'goaway')).toHaveLength(1);
    expect(hub.stats().closed).toEqual({ hub_closed: 1 });
  });
});
