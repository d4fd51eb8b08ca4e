import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MemoryEngine } from '../src/engine/memory/memory-engine.ts';
import { createHub } from '../src/hub.ts';
import { LateEngine } from '../testing/late-engine.ts';
import { channel, NativePeer } from '../testing/native-peer.ts';
import { connectRaw } from '../testing/raw-peer.ts';
import { startHub, until } from '../testing/start-hub.ts';

describe('listening', () => {
  test.each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])(
    'on %j needs a secret, and the error says what to do',
    async (host) => {
      const hub = createHub({ host, port: 0 });
      await expect(hub.listen()).rejects.toMatchObject({
        name: 'HubError',
        code: 'secret_required',
        message: expect.stringMatching(/--secret-file.*127\.0\.0\.1.*--insecure/),
      });
      await hub.close();
    },
  );

  test('on every address is allowed with a secret, or with insecure', async () => {
    for (const options of [{ secret: 'correct horse battery staple' }, { insecure: true }]) {
      const { port } = await startHub({ host: '0.0.0.0', ...options });
      await connectRaw(port);
    }
  });

  test('on a port in use fails with the error of Node', async () => {
    const { port } = await startHub();
    const second = createHub({ port });
    await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE', port });
    await second.close();
  });

  test('is done once', async () => {
    const { hub } = await startHub();
    await expect(hub.listen()).rejects.toMatchObject({ code: 'already_started' });
  });
});

describe('closing', () => {
  test.each([
    ['the memory engine', () => new MemoryEngine()],
    ['an engine that answers late', () => new LateEngine(new MemoryEngine())],
  ])('sends what is queued, ends every peer and frees the port (%s)', async (_name, createEngine) => {
    const { hub, port } = await startHub({ engine: createEngine() });
    const peers = [await NativePeer.open(port), await NativePeer.open(port)];
    const silent = await connectRaw(port);
    silent.resume();
    for (const peer of peers) await peer.subscribe(channel('c'));
    await peers[0]!.publish('c', 'last words');
    await Promise.all([hub.close(), hub.close()]);
    for (const peer of peers) {
      expect(await peer.takeText()).toBe('last words');
      expect(await peer.ended()).toBe('peer_closed');
    }
    expect(hub.stats()).toMatchObject({
      connectedPeers: 0,
      channels: 0,
      subscriptions: 0,
      closed: { hub_closed: 3 },
    });
    const next = createServer().listen(port, '127.0.0.1');
    await once(next, 'listening');
    next.close();
  });

  test('waits at most closeMs for a peer that neither reads nor ends', async () => {
    const { hub, port } = await startHub({ link: { closeMs: 20 } });
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => {
      socket.destroy();
    });
    await once(socket, 'connect');
    socket.pause();
    await until(() => hub.stats().connectedPeers === 1);
    await hub.close();
    expect(hub.stats().connectedPeers).toBe(0);
  });

  test('of a hub that never listened resolves, and it cannot listen afterwards', async () => {
    const hub = createHub({ port: 0 });
    await hub.close();
    await expect(hub.listen()).rejects.toMatchObject({ code: 'already_started' });
  });

  test('while it begins to listen results in a closed hub', async () => {
    const hub = createHub({ port: 0 });
    const [{ port }] = await Promise.all([hub.listen(), hub.close()]);
    const socket = connect(port, '127.0.0.1');
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });
});

test('connections above the limit are dropped, counted and logged, and there is room again later', async () => {
  const { hub, port, lines } = await startHub({ peersMax: 2 });
  const first = await NativePeer.open(port);
  await NativePeer.open(port);
  const third = await connectRaw(port);
  third.resume();
  if (!third.closed) await once(third, 'close');
  expect(hub.stats()).toMatchObject({ connectedPeers: 2, dropped: 1 });
  expect(lines.filter((line) => line.level === 'warn')).toMatchObject([{ fields: { peersMax: 2 } }]);
  first.link.close();
  await until(() => hub.stats().connectedPeers === 1);
  await NativePeer.open(port);
});
