import { createHash } from 'node:crypto';
import { isHost } from '@groupcast/service';

/** An ordinary request for a WebSocket. */
export interface UpgradeRequest {
  readonly key: string;
  readonly origin: string | undefined;
  /** As the client sent them: names between commas, none twice. */
  readonly subprotocols: string | undefined;
}

/** What a request may have; beyond it a complete parser answers. */
export interface RequestLimits {
  /** Header lines. */
  readonly headersMax: number;
  /** Request line and header lines, in bytes. */
  readonly headerBytesMax: number;
}

// No pattern may have two neighbours that match the same bytes: it would try every way to share them.
const REQUEST_LINE = /^GET \/[!-~]* HTTP\/1\.1$/;
// RFC 9110, section 5.6.2 (token) and section 5.5, without the bytes above ASCII. White space around the value is still there.
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([ -~\t]*)$/;
const UPGRADE_LINE = /\nupgrade:/i;
// RFC 6455, section 4.1: 16 bytes in base64.
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VERSION = '13';
const END = '\r\n\r\n';

/** Longer requests are not ordinary, in bytes. */
const REQUEST_BYTES_MAX = 4 * 1024;

/** What an upgrade looks at; each may be there once. */
const ASKED: ReadonlySet<string> = new Set([
  'host',
  'upgrade',
  'connection',
  'origin',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
]);

/** Announce a body, or a say in how the request is read: with any of them it is not ordinary. */
const NOT_ORDINARY: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'expect',
  'trailer',
  'te',
]);

/** Whether a request asks to become something else, in what came of it. It is not read for that. */
export function asksForUpgrade(text: string): boolean {
  return UPGRADE_LINE.test(text);
}

/**
 * Reads a request for a WebSocket (RFC 6455, section 4.2.1) that came whole, with nothing behind it, and in the form in
 * which browsers and libraries send it. `undefined` for every other request, right or wrong: a complete parser tells
 * them apart. `text` has one character for each byte.
 */
export function readUpgradeRequest(text: string, limits: RequestLimits): UpgradeRequest | undefined {
  if (text.length > Math.min(REQUEST_BYTES_MAX, limits.headerBytesMax)) return undefined;
  if (!text.endsWith(END) || text.indexOf(END) !== text.length - END.length) return undefined;
  const [requestLine, ...lines] = text.slice(0, -END.length).split('\r\n');
  if (requestLine === undefined || !REQUEST_LINE.test(requestLine) || lines.length > limits.headersMax)
    return undefined;
  const headers = headersOf(lines);
  return headers && requestOf(headers);
}

function headersOf(lines: readonly string[]): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, written, value] = HEADER_LINE.exec(line) ?? [];
    if (written === undefined || value === undefined) return undefined;
    const name = written.toLowerCase();
    if (NOT_ORDINARY.has(name) || headers.has(name)) return undefined;
    // Of white space the pattern lets through what RFC 9110, section 5.6.3, has: spaces and tabs.
    if (ASKED.has(name)) headers.set(name, value.trim());
  }
  return headers;
}

function requestOf(headers: ReadonlyMap<string, string>): UpgradeRequest | undefined {
  const host = headers.get('host') ?? '';
  const key = headers.get('sec-websocket-key') ?? '';
  const origin = headers.get('origin');
  const subprotocols = headers.get('sec-websocket-protocol');
  const isOrdinary =
    host !== '' &&
    isHost(host) &&
    headers.get('upgrade')?.toLowerCase() === 'websocket' &&
    hasToken(headers.get('connection') ?? '', 'upgrade') &&
    headers.get('sec-websocket-version') === VERSION &&
    KEY.test(key) &&
    (subprotocols === undefined || areNames(subprotocols));
  return isOrdinary ? { key, origin, subprotocols } : undefined;
}

function areNames(list: string): boolean {
  const names = list.split(',').map((name) => name.trim());
  return names.every((name) => TOKEN.test(name)) && new Set(names).size === names.length;
}

function hasToken(list: string, token: string): boolean {
  return list.split(',').some((name) => name.trim().toLowerCase() === token);
}

// RFC 6455, section 1.3.
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The answer to a request (RFC 6455, section 4.2.2). */
export function upgradeResponse(key: string, subprotocol: string | undefined): Buffer {
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64');
  const chosen = subprotocol === undefined ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
  return Buffer.from(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${chosen}\r\n`,
    'latin1',
  );
}
