import { createServer, type IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readUpgradeRequest } from './upgrade-request.ts';

const LIMITS = { headersMax: 100, headerBytesMax: 16 * 1024 };
const LINES = [
  'GET /chat HTTP/1.1',
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: keep-alive, Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Origin: http://a.example',
  'Sec-WebSocket-Protocol: groupcast.v1, other',
];
const TAB_AFTER_UPGRADE = /^connection:.*\bupgrade *\t/im;
const REQUEST = [...LINES, '', ''].join('\r\n');

/** A place, what is put there, and how many bytes it replaces. */
const edit = fc.record({
  at: fc.nat(REQUEST.length - 1),
  put: fc.oneof(
    fc.constantFrom('', ' ', '\t', '  \t', '\r\n', '\n', ':', ',', ': ', '\0', '\u00ff'),
    fc.string({ unit: 'binary-ascii', maxLength: 3 }),
  ),
  over: fc.nat(2),
});
const edited = fc.array(edit, { maxLength: 3 }).map((edits) => {
  const put = (text: string, { at, put, over }: (typeof edits)[number]): string =>
    text.slice(0, at) + put + text.slice(at + over);
  return edits.reduce(put, REQUEST);
});

/**
 * How Node's own parser understands it; `undefined` when to Node it is no request for an upgrade.
 */
function asNodeReadsIt(text: string): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    const server = createServer(() => resolve(undefined));
    server.on('upgrade', (request) => resolve(request));
    server.on('clientError', () => resolve(undefined));
    const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
    server.emit('connection', socket);
    socket.push(Buffer.from(text, 'latin1'));
    socket.push(null);
  });
}

test('the parser of Node reads an ordinary request in the same way', async () => {
  let ordinary = 0;
  await fc.assert(
    fc.asyncProperty(edited, async (text) => {
      const read = readUpgradeRequest(text, LIMITS);
      // RFC 9110, section 5.6.3, allows a tab behind a token; the parser of Node then finds no wish
      // to upgrade.
      if (read === undefined || TAB_AFTER_UPGRADE.test(text)) return;
      ordinary += 1;
      const { headers, method, httpVersion } = (await asNodeReadsIt(text)) ?? {};
      expect({ method, httpVersion }).toEqual({ method: 'GET', httpVersion: '1.1' });
      expect(read).toEqual({
        key: headers?.['sec-websocket-key'],
        origin: headers?.origin,
        subprotocols: headers?.['sec-websocket-protocol'],
      });
    }),
    { numRuns: 3_000, examples: [[REQUEST.replace('Upgrade\r\nSec', 'Upgrade \t\r\nSec')]] },
  );
  expect(ordinary).toBeGreaterThan(300);
});
