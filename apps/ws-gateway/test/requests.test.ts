import { handshake, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, describe, expect, test } from 'vitest';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

afterEach(async () => {
  await started.gateway.close();
});

/** Writes bytes, and resolves with the whole response when the server has closed. */
async function raw(text: string): Promise<string> {
  const client = new RawClient(started.port);
  client.write(text);
  await client.ended;
  return client.http;
}

const LINES = (count: number): string[] => Array.from({ length: count }, (_, index) => `x${index}: y`);

/** Returns a handshake with other lines. */
function lines(...all: string[]): string {
  return [...all, '', ''].join('\r\n');
}

describe.each([true, false])('requests, with fast paths: %s', (fastPaths) => {
  test.each([
    ['HTTP/1.1 without Host', handshake().replace('Host: localhost\r\n', ''), 400, 'needs a Host'],
    ['two Hosts', handshake(['Host: other']), 400, 'more than one Host'],
    ['two Hosts that are the same', handshake(['Host: localhost']), 400, 'more than one Host'],
    ['an invalid Host', handshake().replace('localhost', 'a b'), 400, 'not a host'],
    ['a length', `${handshake(['Content-Length: 2'])}hi`, 400, 'has no body'],
    ['chunks', `${handshake(['Transfer-Encoding: chunked'])}0\r\n\r\n`, 400, 'has no body'],
    ['101 header lines', handshake(LINES(96)), 431, '101 header lines. At most 100'],
    [
      '2,000 header lines in front',
      handshake().replace('Host', `${LINES(1_500).join('\r\n')}\r\nHost`),
      431,
      '1505',
    ],
    ['a page without Host', lines('GET / HTTP/1.1'), 400, 'needs a Host'],
    ['a page with two Hosts', lines('GET / HTTP/1.1', 'Host: a', 'Host: b'), 400, 'more than one Host'],
    [
      'a page with 101 header lines',
      lines('GET / HTTP/1.1', 'Host: a', ...LINES(100)),
      431,
      '101 header lines',
    ],
    [
      'a handshake from which a proxy took Upgrade',
      handshake().replace('Upgrade: websocket\r\n', '').replace('Upgrade', 'close'),
      426,
      'a proxy removed them',
    ],
    [
      'the same in HTTP/1.0',
      lines(
        'GET /ws HTTP/1.0',
        'Host: gw',
        'Connection: close',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
      ),
      426,
      'proxy_http_version 1.1',
    ],
  ])('%s: rejected', async (_, text, status, sentence) => {
    started = await startGateway({ fastPaths });
    const answer = await raw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(sentence);
    const { accepted, handshakesRejected } = started.gateway.stats();
    expect(accepted).toBe(0);
    expect(handshakesRejected.http + handshakesRejected.handshake).toBe(1);
  });

  test('426 has the upgrade header', async () => {
    started = await startGateway({ fastPaths });
    const text = lines('GET / HTTP/1.1', 'Host: x', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==');
    expect(await raw(text)).toMatch(/^HTTP\/1.1 426 .*\r\nupgrade: websocket\r\n/is);
  });

  test.each([
    ['an empty body', handshake(['Content-Length: 0'])],
    ['100 header lines', handshake(LINES(95))],
    ['15 KiB of cookies', handshake([`Cookie: ${'c=1; '.repeat(3_072)}`])],
  ])('%s: accepted', async (_, text) => {
    started = await startGateway({ fastPaths });
    const client = new RawClient(started.port);
    client.write(text);
    await untilTurn(() => started.gateway.stats().accepted === 1);
    client.socket.destroy();
  });

  test('the limit of the header is an option', async () => {
    started = await startGateway({ fastPaths, headerBytesMax: 1_024 });
    const answer = await raw(handshake([`Cookie: ${'c'.repeat(1_024)}`]));
    expect(answer).toMatch(/^HTTP\/1.1 431 .*longer than 1024 bytes/s);
    await RawClient.upgraded(started.port, [`Cookie: ${'c'.repeat(512)}`]);
  });

  describe('health checks', () => {
    const CHECKS = [
      ['haproxy option httpchk', lines('OPTIONS / HTTP/1.0')],
      ['OPTIONS *', lines('OPTIONS * HTTP/1.1', 'Host: gw')],
      ['HEAD of any path', lines('HEAD /chat HTTP/1.1', 'Host: gw')],
      ['HEAD /', lines('HEAD / HTTP/1.0')],
      ['GET /healthz', lines('GET /healthz HTTP/1.1', 'Host: 10.0.0.7:1234')],
      ['GET /readyz', lines('GET /readyz HTTP/1.1', 'Host: gw')],
      ['GET /healthz with a question', lines('GET /healthz?x HTTP/1.0')],
    ] as const;

    test.each(CHECKS)('%s: 200 while the gateway serves, 503 from then on', async (_, text) => {
      for (const welcomePage of [true, false]) {
        started = await startGateway({ fastPaths, welcomePage });
        expect(await raw(text)).toMatch(/^HTTP\/1.1 200 .*connection: close\r\n/is);
        started.gateway.failHealth();
        expect(await raw(text)).toMatch(/^HTTP\/1.1 503 .*connection: close\r\n/is);
        await started.gateway.close();
      }
    });

    test.each(['GET', 'HEAD'])('%s /readyz: 503 while the gateway is not ready', async (method) => {
      started = await startGateway({ fastPaths });
      const readyz = lines(`${method} /readyz HTTP/1.1`, 'Host: gw');
      expect(await raw(readyz)).toMatch(/^HTTP\/1.1 200 /);
      started.gateway.setReady(false);
      expect(await raw(readyz)).toMatch(/^HTTP\/1.1 503 .*cache-control: no-store\r\n/s);
      expect(await raw(lines('GET /healthz HTTP/1.1', 'Host: gw'))).toMatch(/^HTTP\/1.1 200 /);
      started.gateway.setReady(true);
      expect(await raw(readyz)).toMatch(/^HTTP\/1.1 200 /);
    });

    test('the page is 503, too, after failHealth, and WebSockets are still accepted', async () => {
      started = await startGateway({ fastPaths });
      started.gateway.failHealth();
      expect(await raw(lines('GET / HTTP/1.0'))).toMatch(/^HTTP\/1.1 503 /);
      const client = await TestClient.plain(started.url);
      expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    });

    test('are answered while handshakes are over their rate', async () => {
      started = await startGateway({ fastPaths, handshakesPerSecond: 0.001, handshakesBurst: 1 });
      await TestClient.plain(started.url);
      expect(await raw(handshake())).toMatch(/^HTTP\/1.1 503 /);
      expect(await raw(lines('OPTIONS / HTTP/1.0'))).toMatch(/^HTTP\/1.1 200 /);
    });
  });

  test('a handshake whose rest arrives after the gateway rejects all is rejected', async () => {
    started = await startGateway({ fastPaths });
    const client = new RawClient(started.port);
    client.write(handshake().slice(0, -2));
    await untilTurn(() => client.socket.bytesWritten > 0 && !client.socket.connecting);
    // The gateway has read the bytes before it accepted this connection.
    await TestClient.plain(started.url);
    const drained = started.gateway.drain({ windowMs: 0, reason: 'going_away' });
    client.write('\r\n');
    await client.ended;
    expect(client.http).toMatch(/^HTTP\/1.1 503 .*retry-after: [1-3]\r\n/s);
    await drained;
    expect(started.gateway.stats()).toMatchObject({ accepted: 1, handshakesRejected: { draining: 1 } });
  });

  test('connections without a request do not keep out others: the oldest is dropped, WebSockets stay', async () => {
    started = await startGateway({ fastPaths, connectionsMax: 4 });
    const member = await TestClient.plain(started.url);
    const idle = ['', 'GET / HT', handshake().slice(0, -2)].map((text) => {
      const client = new RawClient(started.port);
      client.write(text);
      return client;
    });
    const gone: number[] = [];
    idle.forEach((client, index) => void client.ended.then(() => gone.push(index)));
    await untilTurn(() => idle.every(({ socket }) => !socket.connecting));
    for (let count = 1; count <= 3; count++) {
      const client = await TestClient.plain(started.url);
      expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
      await untilTurn(() => gone.length === count);
    }
    expect(gone).toEqual([0, 1, 2]);
    // Only WebSockets are left: now the new one is dropped.
    expect(await raw(handshake())).toBe('');
    expect(await member.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    expect(started.gateway.stats()).toMatchObject({ connections: 4, handshakesRejected: { full: 4 } });
  });
});
