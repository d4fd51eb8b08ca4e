import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { Handshake } from './handshake.ts';

const handshake = new Handshake('127.0.0.1:1234', '/chat?x=1');
const request = handshake.request.toString();
const key = /^Sec-WebSocket-Key: (.*)$/m.exec(request)?.[1]?.trim() ?? '';
const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

const read = (text: string) => handshake.read(Buffer.from(text));

test('the request conforms to RFC 6455', () => {
  expect(request.split('\r\n')).toEqual([
    'GET /chat?x=1 HTTP/1.1',
    'Host: 127.0.0.1:1234',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    '',
    '',
  ]);
  expect(Buffer.from(key, 'base64').length).toBe(16);
});

test('an upgrade is accepted when its head is complete, without the bytes after it', () => {
  const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
  for (let end = 0; end < head.length; end++) expect(read(head.slice(0, end))).toEqual({ kind: 'partial' });
  expect(read(head)).toEqual({ kind: 'upgraded', headBytes: head.length });
  expect(read(`${head}\u0081\u0000`)).toEqual({ kind: 'upgraded', headBytes: head.length });
});

test.each([
  ['HTTP/1.1 503 Service Unavailable\r\nRetry-After: 3\r\n\r\n', 3_000],
  ['HTTP/1.1 503 Service Unavailable\r\nretry-after:2\r\n\r\n', 2_000],
  ['HTTP/1.1 429 Too Many Requests\r\n\r\n', 1_000],
  ['HTTP/1.1 503 Service Unavailable\r\nRetry-After: 99999\r\n\r\n', 30_000],
  ['HTTP/1.1 503 Service Unavailable\r\nRetry-After: Fri, 1 Jan 2100 00:00:00 GMT\r\n\r\n', 1_000],
])('%j says when to come back', (text, retryAfterMs) => {
  expect(read(text)).toEqual({ kind: 'busy', retryAfterMs });
});

test.each([
  ['HTTP/1.1 404 Not Found\r\n\r\n', 'the upgrade was answered with "HTTP/1.1 404 Not Found"'],
  ['SSH-2.0-OpenSSH\r\n\r\n', 'the upgrade was answered with "SSH-2.0-OpenSSH"'],
  [
    'HTTP/1.1 101 Yes\r\nSec-WebSocket-Accept: no\r\n\r\n',
    'the answer to the upgrade has a wrong Sec-WebSocket-Accept',
  ],
  ['x'.repeat(16 * 1024 + 1), 'the answer to the upgrade has no end'],
])('what is no upgrade is refused: %#', (text, reason) => {
  expect(read(text)).toEqual({ kind: 'refused', reason });
});
