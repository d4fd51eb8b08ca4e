import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { CERTIFICATES, freePort } from '@groupcast/testkit';
import { clientFrame, handshake, serverFrames, TEXT, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, describe, expect, test } from 'vitest';
import { createGateway } from '../src/gateway.ts';
import type { GatewayOptions } from '../src/options.ts';
import { LoopbackHub } from '../testing/loopback-hub.ts';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';

const { ca, hub: tls } = CERTIFICATES;
const PING = '{"cmd":"ping","id":1}';
const V1 = Buffer.from('PROXY TCP4 203.0.113.7 127.0.0.1 51234 443\r\n');

let started: StartedGateway;
const clients: TLSSocket[] = [];

async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  started = await startGateway({ tls, ...options });
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await started.gateway.close();
});

/** A client after its TLS handshake, and all that it has received. */
interface SecureClient {
  readonly socket: TLSSocket;
  readonly closed: Promise<void>;
  received(): Buffer;
  bytesReceived(): number;
}

async function secure(port = started.port, before?: Uint8Array): Promise<SecureClient> {
  const below = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  if (before !== undefined) below.write(before);
  const socket = connect({ socket: below, ca, host: '127.0.0.1', ALPNProtocols: ['h2', 'http/1.1'] });
  clients.push(socket);
  // Some are cut.
  socket.on('error', () => {});
  const chunks: Buffer[] = [];
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(chunk);
  });
  const closed = new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
  });
  await once(socket, 'secureConnect');
  expect(socket.alpnProtocol).toBe('http/1.1');
  return { socket, closed, received: () => Buffer.concat(chunks), bytesReceived: () => bytes };
}

/** Upgrades, and sends a ping. Resolves with the address that the gateway has for the client. */
async function served({ socket, received }: SecureClient, ...lines: string[]): Promise<string | undefined> {
  socket.write(handshake(lines));
  socket.write(clientFrame(TEXT, PING));
  await untilTurn(() => serverFrames(received()).length > 0);
  expect(String(serverFrames(received())[0]?.payload)).toBe('{"type":"ack","id":1}');
  return started.gateway.connections().at(-1)?.address;
}

describe('a gateway with a certificate', () => {
  test('serves WebSockets, pages and health checks over TLS', async () => {
    await start();
    expect(await served(await secure())).toBe('127.0.0.1');
    const page = await secure();
    page.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await page.closed;
    expect(String(page.received())).toMatch(/^HTTP\/1.1 200 .*ok\n$/s);
  });

  test('reads requests in chunks of one byte, and messages of 60 KiB both ways', async () => {
    await start();
    const { socket, received } = await secure();
    for (const byte of Buffer.from(handshake())) {
      await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
    }
    await untilTurn(() => received().includes('\r\n\r\n'));
    socket.write(clientFrame(TEXT, '{"cmd":"add_group","group_id":"g","id":1}'));
    const message = 'x'.repeat(60 * 1024);
    socket.write(clientFrame(TEXT, JSON.stringify({ cmd: 'send_to_group', group_id: 'g', message })));
    await untilTurn(() => serverFrames(received()).length === 2);
    expect(String(serverFrames(received())[1]?.payload)).toContain(message);
  });

  test('a client that does not read is closed as slow, and one that reads is not', async () => {
    await start({ clientBufferBytes: 64 * 1024, groupBytesPerSecond: 0, messageBytesPerSecond: 0 });
    const [slow, reader, sender] = [await secure(), await secure(), await secure()];
    for (const client of [slow, reader, sender]) await served(client);
    const join = clientFrame(TEXT, '{"cmd":"add_group","group_id":"g"}');
    slow.socket.write(join);
    reader.socket.write(join);
    await untilTurn(() => started.gateway.stats().joins === 2);
    slow.socket.pause();
    const message = 'x'.repeat(60_000);
    const frame = clientFrame(TEXT, JSON.stringify({ cmd: 'send_to_group', group_id: 'g', message }));
    // Until it is no longer a member. Its close takes some seconds more: it does not answer.
    for (let delivered = -1; delivered !== 1; ) {
      const before = started.gateway.stats().delivered;
      const had = reader.bytesReceived();
      sender.socket.write(frame);
      await untilTurn(() => reader.bytesReceived() >= had + message.length);
      delivered = started.gateway.stats().delivered - before;
    }
    await untilTurn(() => started.gateway.stats().closed.slow > 0);
    expect(started.gateway.stats().closed.slow).toBe(1);
  });

  test('behind a proxy has the address of the client, from either header', async () => {
    const proxyProtocolPort = await freePort();
    await start({ proxyProtocolPort, trustedProxies: ['127.0.0.1'] });
    expect(await served(await secure(proxyProtocolPort, V1))).toBe('203.0.113.7');
    expect(await served(await secure(), 'X-Forwarded-For: 203.0.113.8')).toBe('203.0.113.8');
  });

  test('rejects plain HTTP, and counts it', async () => {
    await start();
    const plain = new RawClient(started.port);
    plain.write(handshake());
    await plain.ended;
    expect(plain.http).not.toMatch(/^HTTP/);
    expect(started.gateway.stats()).toMatchObject({ accepted: 0, handshakesRejected: { tls: 1 } });
  });

  test('closes a client whose handshake is late, and none for a connection that leaves', async () => {
    await start({ handshakeMs: 50, handshakeCheckMs: 20 });
    for (const abort of [false, true]) {
      const gone = connectTcp({ port: started.port, host: '127.0.0.1' });
      await once(gone, 'connect');
      if (abort) gone.resetAndDestroy();
      else gone.end();
      await once(gone, 'close');
    }
    const silent = new RawClient(started.port);
    await silent.ended;
    expect(started.gateway.stats().handshakesRejected.tls).toBe(1);
    // After the handshake the request has as long.
    const idle = await secure();
    await idle.closed;
    expect(String(idle.received())).toMatch(/^(HTTP\/1.1 408 |$)/);
  });

  test('full of idle sockets gives way to a client; a WebSocket is never dropped', async () => {
    await start({ connectionsMax: 2 });
    const first = await secure();
    await served(first);
    const idle = await secure();
    const second = await secure();
    await idle.closed;
    await served(second);
    const third = new RawClient(started.port);
    await third.ended;
    expect(started.gateway.stats()).toMatchObject({ connections: 2, handshakesRejected: { full: 2 } });
  });

  test('closes everything at its end, also a handshake that has not begun', async () => {
    await start({ closeMs: 50 });
    const client = await secure();
    await served(client);
    const silent = new RawClient(started.port);
    await once(silent.socket, 'connect');
    await Promise.all([started.gateway.close(), client.closed, silent.ended]);
    expect(serverFrames(client.received()).at(-1)?.opcode).toBe(8);
  });
});

test.each([
  { cert: tls.cert, key: '' },
  { cert: '', key: tls.key },
])('a certificate without a key, or the reverse, is rejected at once', async (half) => {
  await start();
  expect(() => createGateway({ hub: new LoopbackHub(), tls: half })).toThrow(
    expect.objectContaining({ code: 'bad_option', option: 'tls' }),
  );
});
