import { describe, expect, test } from 'vitest';
import { asksForUpgrade, readUpgradeRequest, upgradeResponse } from './upgrade-request.ts';

const LIMITS = { headersMax: 100, headerBytesMax: 16 * 1024 };
const HEADERS = [
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: keep-alive, Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

function request(headers: readonly string[], line = 'GET /chat HTTP/1.1'): Buffer {
  return Buffer.from([line, ...headers, '', ''].join('\r\n'), 'latin1');
}

function read(bytes: Buffer): ReturnType<typeof readUpgradeRequest> {
  return readUpgradeRequest(bytes.toString('latin1'), LIMITS);
}

/** The request with one header in place of the one of that name. */
function withHeader(header: string): Buffer {
  const name = header.slice(0, header.indexOf(':')).toLowerCase();
  return request([...HEADERS.filter((one) => !one.toLowerCase().startsWith(`${name}:`)), header]);
}

describe('ordinary requests', () => {
  test('the one of RFC 6455, section 1.2', () => {
    const origin = 'Origin: http://example.com';
    expect(read(request([...HEADERS, origin, 'Sec-WebSocket-Protocol: chat, superchat']))).toEqual({
      key: 'dGhlIHNhbXBsZSBub25jZQ==',
      origin: 'http://example.com',
      subprotocols: 'chat, superchat',
    });
  });

  test.each([
    'uPGRADE:websocket',
    'Upgrade: WebSocket',
    'Connection: upgrade',
    'connection:\tUpgrade \t',
    'Cookie: a=b; c="d"',
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
  ])('with %j', (header) => {
    expect(read(withHeader(header))?.key).toBe('dGhlIHNhbXBsZSBub25jZQ==');
  });

  test('are recognised before they are parsed, and no others are', () => {
    expect(asksForUpgrade(request(HEADERS).toString('latin1'))).toBe(true);
    expect(asksForUpgrade(withHeader('uPGRADE:websocket').toString('latin1'))).toBe(true);
    expect(asksForUpgrade('GET /upgrade: HTTP/1.1\r\nHost: x\r\nX-Upgrade: 1\r\n\r\n')).toBe(false);
  });
});

describe('all others are for a complete parser', () => {
  test.each([
    'Upgrade: h2c',
    'Upgrade: websocket, h2c',
    'Connection: keep-alive',
    'Sec-WebSocket-Version: 8',
    'Sec-WebSocket-Key: short==',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ== x',
    'Sec-WebSocket-Protocol: ',
    'Sec-WebSocket-Protocol: a,,b',
    'Sec-WebSocket-Protocol: a, a',
    'Sec-WebSocket-Protocol: a b',
    'Host: ',
    'Host: a b',
    'Host: a/b',
    'Content-Length: 0',
    'Transfer-Encoding: chunked',
    'Expect: 100-continue',
    'X-Control: a\u0001b',
    'X-Latin: \u00e4',
    'X Space: a',
    'X-Space : a',
    ' Folded: a',
    'X-Feed: a\nb',
    'X-Return: a\rb',
    'no colon',
    ': no name',
  ])('with %j', (header) => {
    expect(read(withHeader(header))).toBeUndefined();
  });

  test.each(HEADERS)('without %j, or with it twice', (header) => {
    expect(read(request(HEADERS.filter((one) => one !== header)))).toBeUndefined();
    expect(read(request([...HEADERS, header]))).toBeUndefined();
  });

  test.each([
    'POST /chat HTTP/1.1',
    'GET /chat HTTP/1.0',
    'get /chat HTTP/1.1',
    'GET http://server.example.com/ HTTP/1.1',
    'GET  /chat HTTP/1.1',
    'GET /chat HTTP/1.1 ',
    'GET /\u00e4 HTTP/1.1',
    '',
  ])('the request line %j', (line) => {
    expect(read(request(HEADERS, line))).toBeUndefined();
  });

  test('an incomplete one, cut at every byte', () => {
    const bytes = request(HEADERS);
    for (let length = 0; length < bytes.length; length++) {
      expect(read(bytes.subarray(0, length))).toBeUndefined();
    }
  });

  test('with something behind it', () => {
    expect(read(Buffer.concat([request(HEADERS), Buffer.from([0x81])]))).toBeUndefined();
    expect(read(Buffer.concat([request(HEADERS), request(HEADERS)]))).toBeUndefined();
  });

  test('with more lines or bytes than the limits', () => {
    const bytes = request(HEADERS);
    expect(
      readUpgradeRequest(bytes.toString('latin1'), { ...LIMITS, headersMax: HEADERS.length }),
    ).toBeDefined();
    expect(
      readUpgradeRequest(bytes.toString('latin1'), { ...LIMITS, headersMax: HEADERS.length - 1 }),
    ).toBeUndefined();
    expect(read(withHeader(`Cookie: ${'x'.repeat(4_096)}`))).toBeUndefined();
    expect(
      readUpgradeRequest(bytes.toString('latin1'), { ...LIMITS, headerBytesMax: bytes.length - 1 }),
    ).toBeUndefined();
  });
});

test('the response of RFC 6455, section 1.2', () => {
  expect(upgradeResponse('dGhlIHNhbXBsZSBub25jZQ==', 'chat').toString('latin1')).toBe(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n',
  );
  expect(upgradeResponse('dGhlIHNhbXBsZSBub25jZQ==', undefined).toString('latin1')).not.toContain(
    'Protocol:',
  );
});
