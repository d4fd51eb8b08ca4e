import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RawSocket } from './raw-socket.ts';

let server: Server;
let port: number;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  server.close();
  await once(server, 'close');
});

async function pair(): Promise<[RawSocket, Socket]> {
  const accepted = once(server, 'connection');
  const raw = await RawSocket.open({ port });
  const [peer] = (await accepted) as [Socket];
  return [raw, peer];
}

test('sends exactly the given bytes, and collects received ones', async () => {
  const [raw, peer] = await pair();
  peer.write('abc');
  expect((await raw.waitForBytes(3)).toString()).toBe('abc');
  const echoed = raw.waitFor((received) => received.includes('z'));
  await raw.write(Uint8Array.of(0x7a));
  peer.pipe(peer);
  expect((await echoed).toString()).toBe('abcz');
  expect(raw.bytesReceived).toBe(4);
  raw.destroy();
  peer.destroy();
});

test('distinguishes an end from a reset', async () => {
  const [raw, peer] = await pair();
  peer.end();
  expect(await raw.closed).toEqual({ ended: true, error: undefined });
  await expect(raw.waitForBytes(1)).rejects.toThrow('the connection was closed');
  peer.destroy();

  const [broken, breaker] = await pair();
  breaker.resetAndDestroy();
  expect(await broken.closed).toEqual({ ended: false, error: 'ECONNRESET' });
});

test('ends and resets its own side', async () => {
  const [raw, peer] = await pair();
  peer.resume();
  raw.end();
  await once(peer, 'end');
  peer.end();
  await raw.closed;

  const [resetting, victim] = await pair();
  const failed = once(victim, 'error');
  victim.resume();
  resetting.reset();
  expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
});

test('stops reading, so that the peer cannot send on', async () => {
  const [raw, peer] = await pair();
  raw.stopReading();
  const bytes = Buffer.alloc(16 * 1024 * 1024);
  const taken = peer.write(bytes);
  expect(taken).toBe(false);
  await raw.write('x');
  await once(peer, 'data');
  expect(peer.writableLength).toBeGreaterThan(0);
  raw.resumeReading();
  await raw.waitForBytes(bytes.length);
  raw.destroy();
  peer.destroy();
});

test('rejects without a listener', async () => {
  const refused = createServer().listen(0, '127.0.0.1');
  await once(refused, 'listening');
  const { port: freed } = refused.address() as AddressInfo;
  refused.close();
  await once(refused, 'close');
  await expect(RawSocket.open({ port: freed })).rejects.toThrow('ECONNREFUSED');
});
