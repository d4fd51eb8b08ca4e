import { handshake } from '@groupcast/testkit/in-process';

/** Row W26: bytes to the WebSocket port, and the status line of the answer before the close. */
export const BAD_HANDSHAKES: readonly (readonly [name: string, text: string, status: string])[] = [
  ['no HTTP at all', 'hello\r\n\r\n', 'HTTP/1.1 400 '],
  ['TLS', '\x16\x03\x01\x00\xc8\x01\x00\x00\xc4', 'HTTP/1.1 400 '],
  ['a header that is too large', handshake([`X: ${'x'.repeat(17_000)}`]), 'HTTP/1.1 431 '],
  ['2,000 headers', handshake(Array.from({ length: 2_000 }, (_, index) => `x${index}: y`)), 'HTTP/1.1 431 '],
  ['a cookie that is too large', handshake([`Cookie: ${'c=1; '.repeat(3_500)}`]), 'HTTP/1.1 431 '],
  ['HTTP/1.0', handshake().replace('HTTP/1.1', 'HTTP/1.0'), 'HTTP/1.1 400 '],
  ['a method that cannot upgrade', handshake(['Content-Length: 0']).replace('GET', 'POST'), 'HTTP/1.1 405 '],
  [
    'an upgrade to something else',
    handshake().replace('Upgrade: websocket', 'Upgrade: h2c'),
    'HTTP/1.1 400 ',
  ],
  ['no key', handshake().replace(/Sec-WebSocket-Key.*\r\n/, ''), 'HTTP/1.1 400 '],
  ['an unknown version', handshake().replace('Version: 13', 'Version: 99'), 'HTTP/1.1 400 '],
  [
    'an expectation',
    'GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nConnection: close\r\n\r\n',
    'HTTP/1.1 417 ',
  ],
  [
    'two lengths',
    'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'HTTP/1.1 400 ',
  ],
  ['an upgrade behind another request', `GET /x HTTP/1.1\r\nHost: x\r\n\r\n${handshake()}`, 'HTTP/1.1 404 '],
  ['a CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', ''],
];
