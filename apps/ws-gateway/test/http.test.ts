import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { handshake, untilTurn } from '@groupcast/testkit/in-process';
import { afterEach, describe, expect, test } from 'vitest';
import { createGateway } from '../src/gateway.ts';
import { LoopbackHub } from '../testing/loopback-hub.ts';
import { RawClient } from '../testing/raw-client.ts';
import { type StartedGateway, startGateway } from '../testing/start-gateway.ts';
import { TestClient } from '../testing/test-client.ts';

let started: StartedGateway;

// After every case the gateway still accepts WebSockets, unless it was closed.
afterEach(async () => {
  await started.gateway.close();
});

async function stillServes(): Promise<void> {
  const client = await TestClient.plain(started.url);
  expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  await client.close();
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function fetchPath(path: string, method = 'GET', headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ port: started.port, host: '127.0.0.1', path, method, headers }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** Writes bytes, and resolves with the whole response when the server has closed. */
async function raw(text: string): Promise<string> {
  const client = new RawClient(started.port);
  client.write(text);
  await client.ended;
  return client.http;
}

describe('plain HTTP', () => {
  test('GET / returns the welcome page, HEAD returns no body', async () => {
    started = await startGateway({ version: '1.2.3' });
    const page = await fetchPath('/?x');
    expect(page).toMatchObject({ status: 200, headers: { connection: 'close', 'x-frame-options': 'DENY' } });
    expect(page.body).toContain('Groupcast 1.2.3');
    expect(await fetchPath('/', 'HEAD')).toMatchObject({
      status: 200,
      headers: { 'content-length': String(Buffer.byteLength(page.body)) },
      body: '',
    });
    expect(started.gateway.stats().accepted).toBe(0);
  });

  test('other paths are 404, and so is the page when it is off', async () => {
    started = await startGateway({ welcomePage: false });
    for (const [path, method] of [
      ['/', 'GET'],
      ['/x', 'GET'],
      ['/', 'POST'],
      ['/../..', 'GET'],
    ] as const) {
      const answer = await fetchPath(path, method);
      expect(answer).toMatchObject({ status: 404, headers: { connection: 'close' } });
      expect(JSON.parse(answer.body)).toEqual({ error: 'Not found: this port serves WebSockets.' });
    }
    await stillServes();
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n', '400'],
    ['a header that is too large', handshake([`X: ${'x'.repeat(17_000)}`]), '431'],
    ['2,000 headers', handshake(Array.from({ length: 2_000 }, (_, index) => `x${index}: y`)), '431'],
    ['a cookie that is too large', handshake([`Cookie: ${'c=1; '.repeat(3_500)}`]), '431'],
    ['HTTP/1.0', handshake().replace('HTTP/1.1', 'HTTP/1.0'), '400'],
    ['a method that cannot upgrade', handshake(['Content-Length: 0']).replace('GET', 'POST'), '405'],
    ['an upgrade to something else', handshake().replace('Upgrade: websocket', 'Upgrade: h2c'), '400'],
    ['no key', handshake().replace(/Sec-WebSocket-Key.*\r\n/, ''), '400'],
    ['a key that is too short', handshake().replace(/Key: .*\r\n/, 'Key: abc\r\n'), '400'],
    ['an unknown version', handshake().replace('Version: 13', 'Version: 99'), '400'],
    ['a broken subprotocol', handshake(['Sec-WebSocket-Protocol: a,,b']), '400'],
    ['an expectation', 'GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nConnection: close\r\n\r\n', '417'],
    ['two lengths', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', '400'],
  ])('%s is rejected', async (_, text, status) => {
    started = await startGateway();
    expect(await raw(text)).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\nconnection: close\r\n`, 'is'));
    expect(started.gateway.stats().accepted).toBe(0);
    await stillServes();
  });

  test('an upgrade behind another request, and a CONNECT, do not disturb other clients', async () => {
    started = await startGateway();
    await raw(`GET /x HTTP/1.1\r\nHost: x\r\n\r\n${handshake()}`);
    await raw('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n');
    await stillServes();
  });

  test('a header named __proto__ is an ordinary header', async () => {
    started = await startGateway();
    const client = await RawClient.upgraded(started.port, ['__proto__: x', 'constructor: y']);
    client.socket.destroy();
    expect(Reflect.get({}, 'x')).toBeUndefined();
  });

  test('frames in one chunk with the handshake are read', async () => {
    started = await startGateway();
    const client = new RawClient(started.port);
    const frame = Buffer.from('{"cmd":"ping","id":1}');
    client.write(handshake(), Buffer.of(0x81, 0x80 | frame.length, 0, 0, 0, 0), frame);
    await untilTurn(() => client.frames.length === 1);
    expect(String(client.frames[0]?.payload)).toBe('{"type":"ack","id":1}');
    client.socket.destroy();
  });

  test('an upgrade behind a plain request does not become a WebSocket on a socket that is about to close', async () => {
    started = await startGateway();
    const client = new RawClient(started.port);
    client.write(`GET /x HTTP/1.1\r\nHost: x\r\n\r\n${handshake()}`);
    await client.ended;
    expect(client.http).toMatch(/^HTTP\/1.1 404 /);
    expect(client.http).not.toContain('HTTP/1.1 101 ');
    expect(started.gateway.stats()).toMatchObject({ connections: 0, accepted: 0 });
    await stillServes();
  });
});

describe('unfinished handshakes', () => {
  test.each([
    ['nothing', '', ''],
    ['half a request line', 'GET / HT', '408'],
    ['headers without end', handshake().slice(0, -2), '408'],
  ])('after %s the connection is closed', async (_, text, status) => {
    started = await startGateway({ handshakeMs: 100, handshakeCheckMs: 20 });
    const http = await raw(text);
    if (status === '') expect(http).toMatch(/^(HTTP\/1.1 408 |$)/);
    else expect(http).toContain(`HTTP/1.1 ${status} `);
    expect(started.gateway.stats().handshakesRejected.http).toBe(1);
    await stillServes();
  });

  test('a reset in the middle of an upgrade does not disturb other clients', async () => {
    started = await startGateway({ allowedOrigins: ['https://good.example'] });
    for (let round = 0; round < 20; round++) {
      const socket = connect({ port: started.port, host: '127.0.0.1' });
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(handshake(round % 2 === 0 ? ['Origin: https://good.example'] : []));
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    await untilTurn(() => started.gateway.stats().connections === 0);
    const client = new TestClient(started.url, [], { origin: 'https://good.example' });
    await once(client.ws, 'open');
    expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
  });
});

describe('origins', () => {
  test.each([
    'https://evil.example',
    'https://good.example.evil',
    'https://evil.example/https://good.example',
    'http://good.example',
    'https://good.example:8443',
    'null',
    '',
  ])('%s gets 403 before the upgrade', async (origin) => {
    started = await startGateway({ allowedOrigins: ['https://good.example'] });
    expect(await raw(handshake([`Origin: ${origin}`]))).toMatch(/^HTTP\/1.1 403 /);
    expect(started.gateway.stats()).toMatchObject({ accepted: 0, handshakesRejected: { origin: 1 } });
  });

  test('no origin gets 403, too, where there is a list', async () => {
    started = await startGateway({ allowedOrigins: ['https://good.example'] });
    expect(await raw(handshake())).toMatch(/^HTTP\/1.1 403 /);
  });

  test('an origin of the list is accepted', async () => {
    started = await startGateway({ allowedOrigins: ['https://other.example', 'https://good.example:443/'] });
    const client = await RawClient.upgraded(started.port, ['Origin: https://good.example']);
    client.socket.destroy();
  });

  test('a list with an invalid origin is rejected at once', () => {
    expect(() => createGateway({ hub: new LoopbackHub(), allowedOrigins: ['good.example'] })).toThrow(
      expect.objectContaining({ code: 'bad_option', option: 'allowedOrigins' }),
    );
  });
});

describe('the rate of handshakes', () => {
  test('above it every client gets 503 and retry-after', async () => {
    started = await startGateway({ handshakesPerSecond: 0.001, handshakesBurst: 3 });
    const clients = [];
    for (let count = 0; count < 3; count++) clients.push(await TestClient.plain(started.url));
    const waits = new Set<string>();
    for (let count = 0; count < 40; count++) {
      const answer = await raw(handshake());
      expect(answer).toMatch(/^HTTP\/1.1 503 /);
      waits.add(/retry-after: (\d+)\r\n/.exec(answer)?.[1] ?? '');
    }
    expect([...waits].sort()).toEqual(['1', '2', '3']);
    expect(started.gateway.stats()).toMatchObject({ connections: 3, handshakesRejected: { rate: 40 } });
    for (const client of clients) {
      expect(await client.ask({ cmd: 'ping', id: 1 })).toEqual({ type: 'ack', id: 1 });
    }
  });

  test('is checked first: above it no handshake gets another error', async () => {
    started = await startGateway({
      handshakesPerSecond: 0.001,
      handshakesBurst: 1,
      allowedOrigins: ['https://good.example'],
    });
    const good = 'Origin: https://good.example';
    // It uses the only token, although it does not become a WebSocket.
    expect(await raw(handshake(['Origin: https://evil.example']))).toMatch(/^HTTP\/1.1 403 /);
    for (const text of [
      handshake([good]),
      handshake(['Origin: https://evil.example']),
      handshake([good]).replace('HTTP/1.1', 'HTTP/1.0'),
      handshake([good, 'Sec-WebSocket-Protocol: a,,b']),
      handshake([good, `Cookie: ${'c'.repeat(5_000)}`]),
    ]) {
      expect(await raw(text)).toMatch(/^HTTP\/1.1 503 .*retry-after: [1-3]\r\n/s);
    }
    expect(started.gateway.stats().handshakesRejected).toMatchObject({ rate: 5, origin: 1, handshake: 0 });
  });

  test('costs one token where the request is read twice', async () => {
    started = await startGateway({ handshakesPerSecond: 0.001, handshakesBurst: 2 });
    // Longer than the fast path reads.
    for (let count = 0; count < 2; count++) {
      const client = await RawClient.upgraded(started.port, [`Cookie: ${'c'.repeat(5_000)}`]);
      client.socket.destroy();
    }
    expect(await raw(handshake())).toMatch(/^HTTP\/1.1 503 /);
  });

  test('above it requests that are read directly are not parsed, not even invalid ones', async () => {
    started = await startGateway({ handshakesPerSecond: 0.001, handshakesBurst: 1, fastPaths: true });
    await TestClient.plain(started.url);
    expect(await raw('GET / HTTP/1.1\r\nUpgrade: websocket\r\nNo colon\r\n\r\n')).toMatch(/^HTTP\/1.1 503 /);
  });

  test('has no limit when it is 0', async () => {
    started = await startGateway({ handshakesPerSecond: 0, handshakesBurst: 1 });
    for (let count = 0; count < 5; count++) await TestClient.plain(started.url);
    expect(started.gateway.stats()).toMatchObject({ connections: 5, handshakesRejected: { rate: 0 } });
  });
});

test('connections beyond the limit are dropped and counted, with one line in the log, until one closes', async () => {
  const lines: unknown[][] = [];
  const write = (...line: unknown[]): void => {
    lines.push(line);
  };
  started = await startGateway({
    connectionsMax: 2,
    log: { debug: write, info: write, warn: write, error: write },
  });
  const clients = [await TestClient.plain(started.url), await TestClient.plain(started.url)];
  for (let count = 0; count < 5; count++) expect(await raw(handshake())).toBe('');
  expect(started.gateway.stats()).toMatchObject({ connections: 2, handshakesRejected: { full: 5 } });
  expect(lines).toEqual([
    [{ connectionsMax: 2, dropped: 1 }, expect.stringContaining('connection limit reached')],
  ]);
  await clients[0]?.close();
  await untilTurn(() => started.gateway.stats().connections === 1);
  await stillServes();
});

test('a secret for sessions that is easy to guess is rejected', () => {
  const tooShort = { hub: new LoopbackHub(), sessionSecret: 'fifteen bytes..' };
  expect(() => createGateway(tooShort)).toThrow(/sessionSecret.* has 15 bytes\. Give at least 16/);
});

test('a port in use is an error', async () => {
  started = await startGateway();
  const second = createGateway({ hub: new LoopbackHub(), host: '127.0.0.1', port: started.port });
  await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await second.close();
});
