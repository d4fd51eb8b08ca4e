import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../waiting/until.ts';
import { freePort } from './free-port.ts';
import { RawSocket } from './raw-socket.ts';
import { type ProxyTap, TcpProxy } from './tcp-proxy.ts';

let server: Server;
let proxy: TcpProxy;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.start({ target: (server.address() as AddressInfo).port });
});

afterEach(async () => {
  await proxy.close();
  server.close();
  await once(server, 'close');
});

/** Both ends of a connection through the proxy. */
async function open(): Promise<{ client: RawSocket; peer: RawSocket }> {
  const accepted = once(server, 'connection');
  const client = await RawSocket.open({ port: proxy.port });
  const [socket] = (await accepted) as [Socket];
  return { client, peer: new RawSocket(socket) };
}

function untilHeld(bytes: number): Promise<number> {
  return until(
    () => proxy.heldBytes,
    `${bytes} bytes in the proxy`,
    (held) => held === bytes,
  );
}

const CHUNK = Buffer.from(Array.from({ length: 1_000 }, (_, index) => index % 251));

test('passes all bytes to a tap, with their direction and their connection', async () => {
  const told: string[] = [];
  const tap: ProxyTap = (direction, bytes, connection) => told.push(`${connection} ${direction} ${bytes}`);
  const tapped = await TcpProxy.start({ target: (server.address() as AddressInfo).port, tap });
  for (const text of ['one', 'two']) {
    const accepted = once(server, 'connection');
    const client = await RawSocket.open({ port: tapped.port });
    await client.write(text);
    const [socket] = (await accepted) as [Socket];
    const peer = new RawSocket(socket);
    await peer.waitForBytes(3);
    await peer.write(`${text}!`);
    await client.waitForBytes(4);
  }
  expect(told).toEqual(['1 up one', '1 down one!', '2 up two', '2 down two!']);
  await tapped.close();
});

test('forwards bytes in both directions, and counts them', async () => {
  const { client, peer } = await open();
  await client.write('question');
  expect(String(await peer.waitForBytes(8))).toBe('question');
  await peer.write('answer');
  expect(String(await client.waitForBytes(6))).toBe('answer');
  expect(proxy.passed('up')).toBe(8);
  expect(proxy.passed('down')).toBe(6);
  expect(proxy.accepted).toBe(1);
  expect(proxy.address).toBe(`127.0.0.1:${proxy.port}`);
});

test('forwards much more than it may hold', async () => {
  const { client, peer } = await open();
  const much = Buffer.alloc(8 * 1024 * 1024, 'm');
  peer.stopReading();
  void client.write(much);
  await until(
    () => proxy.heldBytes,
    'a full proxy',
    (held) => held > 0,
  );
  peer.resumeReading();
  expect((await peer.waitForBytes(much.length)).equals(much)).toBe(true);
});

describe('an end of one side', () => {
  test('is passed to the other, which may still send', async () => {
    const { client, peer } = await open();
    await client.write('last words');
    client.end();
    expect(String(await peer.waitForBytes(10))).toBe('last words');
    await peer.write('heard');
    expect(String(await client.waitForBytes(5))).toBe('heard');
    peer.end();
    expect(await client.closed).toEqual({ ended: true, error: undefined });
    expect(await peer.closed).toEqual({ ended: true, error: undefined });
    await until(() => proxy.connections === 0, 'the proxy to let go');
  });

  test('by a reset is a reset for the other', async () => {
    const { client, peer } = await open();
    client.reset();
    expect(await peer.closed).toEqual({ ended: false, error: 'ECONNRESET' });
    await until(() => proxy.connections === 0, 'the proxy to let go');
  });
});

describe('cut', () => {
  test('rst resets all connections, on both sides', async () => {
    const pairs = [await open(), await open()];
    expect(proxy.cut('rst')).toBe(2);
    for (const { client, peer } of pairs) {
      expect((await client.closed).error).toBe('ECONNRESET');
      expect((await peer.closed).error).toBe('ECONNRESET');
    }
    await until(() => proxy.connections === 0, 'the proxy to let go');
  });

  test('fin ends them gracefully', async () => {
    const { client, peer } = await open();
    expect(proxy.cut('fin')).toBe(1);
    peer.end();
    client.end();
    expect(await client.closed).toEqual({ ended: true, error: undefined });
    expect(await peer.closed).toEqual({ ended: true, error: undefined });
  });

  test('is an end for a connection that is ending', async () => {
    const { client, peer } = await open();
    client.end();
    expect(proxy.cut('rst')).toBe(1);
    peer.end();
    await Promise.all([client.closed, peer.closed]);
    await until(() => proxy.connections === 0, 'the proxy to let go');
  });

  test('accepts new connections afterwards', async () => {
    await open();
    proxy.cut();
    const { client, peer } = await open();
    await client.write('again');
    expect(String(await peer.waitForBytes(5))).toBe('again');
  });

  test('after a number of bytes comes in the middle of a chunk, once', async () => {
    const { client, peer } = await open();
    proxy.set({ sliceBytes: 100 });
    proxy.resetAfterBytes(350);
    void client.write(CHUNK);
    expect((await peer.closed).error).toBe('ECONNRESET');
    expect(proxy.resets).toBe(1);
    expect(proxy.passed('up')).toBe(400);
    const next = await open();
    await next.client.write(CHUNK);
    await next.peer.waitForBytes(CHUNK.length);
    expect(proxy.resets).toBe(1);
  });
});

describe('a blackhole', () => {
  test('holds sent bytes, and forwards them when it ends', async () => {
    const { client, peer } = await open();
    proxy.blackhole();
    await client.write('lost?');
    await peer.write('too?');
    await untilHeld(9);
    expect(peer.bytesReceived + client.bytesReceived).toBe(0);
    proxy.heal();
    expect(String(await peer.waitForBytes(5))).toBe('lost?');
    expect(String(await client.waitForBytes(4))).toBe('too?');
  });

  test('may be of one direction', async () => {
    const { client, peer } = await open();
    proxy.blackhole(['up']);
    await client.write('lost?');
    await peer.write('heard');
    expect(String(await client.waitForBytes(5))).toBe('heard');
    await untilHeld(5);
    expect(peer.bytesReceived).toBe(0);
    proxy.heal();
    await peer.waitForBytes(5);
  });

  test('holds ends and resets as well, until it ends', async () => {
    const ended = await open();
    const broken = await open();
    proxy.blackhole();
    ended.client.end();
    broken.client.reset();
    const late = await open();
    await late.client.write('late');
    await untilHeld(4);
    expect(proxy.connections).toBe(3);
    let told = 0;
    void broken.peer.closed.then(() => {
      told += 1;
    });
    expect(told).toBe(0);
    proxy.heal();
    expect((await broken.peer.closed).error).toBe('ECONNRESET');
    ended.peer.end();
    expect(await ended.peer.closed).toEqual({ ended: true, error: undefined });
    await late.peer.waitForBytes(4);
  });

  test('holds a bounded number of bytes', async () => {
    const { client } = await open();
    proxy.blackhole();
    void client.write(Buffer.alloc(32 * 1024 * 1024));
    await until(
      () => proxy.heldBytes,
      'a full proxy',
      (held) => held >= 1024 * 1024,
    );
    expect(proxy.heldBytes).toBeLessThan(2 * 1024 * 1024);
    expect(client.bytesUnsent).toBeGreaterThan(0);
  });
});

describe('conditions', () => {
  test('a delay holds bytes back for its time, on present and on later connections', async () => {
    const before = await open();
    proxy.set({ delayMs: 50 });
    const after = await open();
    for (const { client, peer } of [before, after]) {
      const sentAt = performance.now();
      await client.write('slow');
      await peer.waitForBytes(4);
      // Timers of Node may fire up to a millisecond early.
      expect(performance.now() - sentAt).toBeGreaterThan(48);
    }
  });

  test('jitter keeps the order of bytes', async () => {
    await proxy.close();
    const delays = [1, 0, 0.5, 0.2];
    let calls = 0;
    const { port } = server.address() as AddressInfo;
    proxy = await TcpProxy.start({ target: port, random: () => delays[calls++ % delays.length] ?? 0 });
    proxy.set({ jitterMs: 30 });
    const { client, peer } = await open();
    for (let index = 0; index < 20; index++) {
      await client.write(`${index} `);
      await until(() => calls > index, 'the chunk in the proxy');
    }
    const expected = Array.from({ length: 20 }, (_, index) => `${index} `).join('');
    expect(String(await peer.waitForBytes(expected.length))).toBe(expected);
  });

  test('slices leave one by one, byte for byte the same', async () => {
    const { client, peer } = await open();
    proxy.set({ sliceBytes: 1 });
    await client.write(CHUNK);
    expect((await peer.waitForBytes(CHUNK.length)).equals(CHUNK)).toBe(true);
  });

  test('a bandwidth limits the rate of bytes', async () => {
    const { client, peer } = await open();
    proxy.set({ bytesPerSecond: 10_000 }, ['up']);
    const sentAt = performance.now();
    await client.write(CHUNK);
    expect((await peer.waitForBytes(CHUNK.length)).equals(CHUNK)).toBe(true);
    expect(performance.now() - sentAt).toBeGreaterThan(80);
    await peer.write(CHUNK);
    await client.waitForBytes(CHUNK.length);
  });
});

test('a missing server resets the client', async () => {
  await proxy.close();
  proxy = await TcpProxy.start({ target: await freePort() });
  const client = await RawSocket.open({ port: proxy.port });
  expect((await client.closed).error).toBe('ECONNRESET');
});
