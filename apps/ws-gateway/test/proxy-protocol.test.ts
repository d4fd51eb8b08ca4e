import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from '@groupcast/testkit';
import { clientFrame, handshake, TEXT, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, describe, expect, test } from 'vitest';
import { createGateway } from '../src/gateway.ts';
import type { GatewayOptions } from '../src/options.ts';
import { LoopbackHub } from '../testing/loopback-hub.ts';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';

let started: StartedGateway;
let proxyPort: number;

async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  proxyPort = await freePort();
  const proxies = { proxyProtocolPort: proxyPort, trustedProxies: ['127.0.0.1'] };
  started = await startGateway({ ...proxies, ...options });
}

afterEach(async () => {
  await started.gateway.close();
});

const V1 = Buffer.from('PROXY TCP4 203.0.113.7 127.0.0.1 51234 443\r\n');
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000ccb0071087f000001c82201bb', 'hex');
const LOCAL = Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex');
const PING = '{"cmd":"ping","id":1}';

/** The only client of the gateway: its address, and that it is served. */
async function served(client: RawClient): Promise<string | undefined> {
  await untilTurn(() => started.gateway.connections().length === 1);
  client.write(clientFrame(TEXT, PING));
  await untilTurn(() => client.frames.length > 0);
  expect(String(client.frames[0]?.payload)).toBe('{"type":"ack","id":1}');
  const address = started.gateway.connections()[0]?.address;
  client.socket.destroy();
  await untilTurn(() => started.gateway.connections().length === 0);
  return address;
}

async function answerTo(...parts: (string | Uint8Array)[]): Promise<string> {
  const client = new RawClient(proxyPort);
  client.write(...parts);
  await client.ended;
  return client.http;
}

const PATHS: readonly [string, Partial<GatewayOptions>][] = [
  ['with fast paths', { fastPaths: true }],
  ['through streams', { fastPaths: true, directSockets: false }],
  ['without fast paths', { fastPaths: false }],
];

describe.each(PATHS)('the PROXY protocol port, %s', (_, paths) => {
  test.each([
    ['version 1', V1, '203.0.113.7'],
    ['version 2', V2, '203.0.113.8'],
    ['LOCAL', LOCAL, '127.0.0.1'],
    ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
  ])('%s names the client, in a chunk with its request or before it', async (_, header, address) => {
    await start(paths);
    const together = new RawClient(proxyPort);
    together.write(header, handshake());
    expect(await served(together)).toBe(address);
    const apart = new RawClient(proxyPort);
    apart.write(header);
    await untilTurn(() => apart.socket.bytesWritten === header.length && apart.socket.writableLength === 0);
    apart.write(handshake());
    expect(await served(apart)).toBe(address);
  });

  test('a header, a request and a message in chunks of one byte', async () => {
    await start(paths);
    for (const header of [V1, V2]) {
      const client = new RawClient(proxyPort);
      client.socket.setNoDelay();
      await once(client.socket, 'connect');
      for (const byte of Buffer.concat([header, Buffer.from(handshake())])) {
        await new Promise((resolve) => client.socket.write(Buffer.of(byte), resolve));
      }
      expect(await served(client)).toBe(header === V1 ? '203.0.113.7' : '203.0.113.8');
    }
  });

  test('frames behind the request in the chunk of the header are read', async () => {
    await start(paths);
    const client = new RawClient(proxyPort);
    client.write(V1, handshake(), clientFrame(TEXT, PING));
    await untilTurn(() => client.frames.length === 1);
    expect(String(client.frames[0]?.payload)).toBe('{"type":"ack","id":1}');
    client.socket.destroy();
  });

  test('health checks and other requests are answered behind the header', async () => {
    await start(paths);
    expect(await answerTo(LOCAL, 'OPTIONS / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
    expect(await answerTo(V1, 'GET /x HTTP/1.1\r\nHost: x\r\n\r\n')).toMatch(/^HTTP\/1.1 404 /);
  });

  test('a request that is not whole in time is answered 408', async () => {
    await start({ ...paths, handshakeMs: 50, handshakeCheckMs: 20 });
    expect(await answerTo(V1, 'GET / HTT')).toMatch(/^HTTP\/1.1 408 /);
    expect(await answerTo(V1)).toMatch(/^(HTTP\/1.1 408 |$)/);
  });

  test('X-Forwarded-For counts if the header names a trusted proxy', async () => {
    await start({ ...paths, trustedProxies: ['127.0.0.1', '203.0.113.7'] });
    const lines = ['X-Forwarded-For: 198.51.100.1'];
    const viaTrusted = new RawClient(proxyPort);
    viaTrusted.write(V1, handshake(lines));
    expect(await served(viaTrusted)).toBe('198.51.100.1');
    const spoofed = new RawClient(proxyPort);
    spoofed.write(V2, handshake(lines));
    expect(await served(spoofed)).toBe('203.0.113.8');
  });
});

describe('the PROXY protocol port rejects', () => {
  const lines: unknown[][] = [];
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  const log = { debug: write, info: write, warn: write, error: write };
  afterEach(() => {
    lines.length = 0;
  });

  test('connections without a header, and says so', async () => {
    await start({ log });
    expect(await answerTo(handshake())).toMatch(/^HTTP\/1.1 400 .*for proxies with the PROXY protocol only/s);
    expect(started.gateway.stats()).toMatchObject({ accepted: 0, handshakesRejected: { proxy: 1 } });
    const fault = 'The connection does not begin with a PROXY header.';
    expect(lines).toEqual([
      [{ address: '127.0.0.1', fault }, 'a connection to the PROXY protocol port was rejected'],
    ]);
  });

  test('all but trusted proxies, unread', async () => {
    await start({ log, trustedProxies: ['10.0.0.0/8'] });
    expect(await answerTo(V1, handshake())).toBe('');
    expect(started.gateway.stats()).toMatchObject({ accepted: 0, handshakesRejected: { proxy: 1 } });
    expect(lines).toEqual([
      [{ address: '127.0.0.1', fault: expect.stringContaining('--trusted-proxy') }, expect.anything()],
    ]);
  });

  test('a header that is late, and one that is too long', async () => {
    await start({ handshakeMs: 50 });
    expect(await answerTo(V1.subarray(0, 20))).toMatch(/^HTTP\/1.1 400 .*did not arrive within 50 ms/s);
    expect(await answerTo(`PROXY UNKNOWN ${'x'.repeat(200)}`)).toMatch(/longer than 107 bytes/);
    expect(started.gateway.stats().handshakesRejected.proxy).toBe(2);
  });

  test('a header on the port for clients', async () => {
    await start();
    const client = new RawClient(started.port);
    client.write(V1, handshake());
    await client.ended;
    expect(client.http).toMatch(/^HTTP\/1.1 400 /);
  });
});

test.each(PATHS)(
  'a connection that closes without a byte is neither counted nor logged, %s',
  async (_, paths) => {
    const warnings: unknown[] = [];
    const warn = (...line: unknown[]): void => {
      warnings.push(line);
    };
    await start({ ...paths, log: { debug: () => {}, info: () => {}, warn, error: warn } });
    for (const port of [proxyPort, started.port]) {
      for (const abort of [false, true]) {
        const socket = connect({ port, host: '127.0.0.1' });
        await once(socket, 'connect');
        if (abort) socket.resetAndDestroy();
        else socket.end();
        await once(socket, 'close');
      }
    }
    expect(await answerTo(LOCAL, 'OPTIONS / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
    expect(started.gateway.stats().handshakesRejected).toMatchObject({ proxy: 0, http: 0, handshake: 0 });
    expect(warnings).toEqual([]);
  },
);

test('a close ends connections whose header is not whole', async () => {
  await start();
  const client = new RawClient(proxyPort);
  client.write(V1.subarray(0, 10));
  await once(client.socket, 'connect');
  await started.gateway.close();
  await client.ended;
});

test('a port for proxies without trusted ones is rejected at once', () => {
  expect(() => createGateway({ hub: new LoopbackHub(), proxyProtocolPort: 1 })).toThrow(
    expect.objectContaining({ code: 'bad_option', option: 'proxyProtocolPort' }),
  );
});
