import { expect, test } from 'vitest';
import { readUpgradeRequest } from './upgrade-request.ts';

const LIMITS = { headersMax: 100, headerBytesMax: 16 * 1024 };
const BYTES = 4 * 1024;
const ROUNDS = 5;

/**
 * A quadratic pattern costs a thousand times as much as a harmless line; a busy machine costs a
 * few.
 */
const RATIO_MAX = 20;

/**
 * Requests of 4 KiB in which one byte fills one place. A last byte may end what the filler began.
 */
const PLACES: Readonly<Record<string, (filler: string) => string>> = {
  'the path': (filler) => request((fill) => `GET /${fill} HTTP/1.1\r\nHost: x\r\n\r\n`, filler),
  'the request line': (filler) => request((fill) => `GET / ${fill}HTTP/1.1\r\nHost: x\r\n\r\n`, filler),
  'a name': (filler) => request((fill) => `GET / HTTP/1.1\r\n${fill}: x\r\n\r\n`, filler),
  'a value': (filler) => request((fill) => `GET / HTTP/1.1\r\nHost: ${fill}\r\n\r\n`, filler),
  'a value that ends badly': (filler) =>
    request((fill) => `GET / HTTP/1.1\r\nHost:${fill}\u0001\r\n\r\n`, filler),
  'a value between others': (filler) =>
    request((fill) => `GET / HTTP/1.1\r\nHost: x${fill}x\u0001\r\n\r\n`, filler),
  'the subprotocols': (filler) =>
    request((fill) => `${UPGRADE}Sec-WebSocket-Protocol: a${fill}a\r\n\r\n`, filler),
  'the connection': (filler) => request((fill) => `${UPGRADE}Connection: a${fill}a\r\n\r\n`, filler),
};

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

function request(around: (fill: string) => string, filler: string): string {
  return around(filler.repeat(BYTES - around('').length));
}

/** The median of a few, so that a pause of the machine does not count. */
function medianMs(text: string): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    readUpgradeRequest(text, LIMITS);
    return performance.now() - start;
  });
  return times.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

test.each(Object.entries(PLACES))('4 KiB of any byte in %s cost no more than harmless ones', (_, place) => {
  const harmless = request((fill) => `${UPGRADE}Connection: Upgrade\r\nCookie: ${fill}\r\n\r\n`, 'x');
  const costs = Array.from({ length: 256 }, (_byte, byte) => ({
    byte,
    ratio: medianMs(place(String.fromCharCode(byte))) / medianMs(harmless),
  }));
  expect(costs.filter(({ ratio }) => ratio > RATIO_MAX)).toEqual([]);
});
