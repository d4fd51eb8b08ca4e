import { createHash } from 'node:crypto';
import { isHost } from '@groupcast/service';

/** Fields of an ordinary WebSocket request. */
export interface UpgradeRequest {
  readonly key: string;
  readonly origin: string | undefined;
  /** Distinct names between commas, as the client sent them. */
  readonly subprotocols: string | undefined;
  /** Value of `X-Forwarded-For`, which any client may have written. */
  readonly forwardedFor: string | undefined;
}

/** Limits of an ordinary request; a complete parser handles longer ones. */
export interface RequestLimits {
  /** Header lines. */
  readonly headersMax: number;
  /** Request line and header lines, in bytes. */
  readonly headerBytesMax: number;
  /** Headers in which the gateway reads tokens: a request with one of them is not ordinary. */
  readonly tokenHeaders?: ReadonlySet<string> | undefined;
}

// No pattern has two neighbours that match the same bytes: that would cause backtracking.
const REQUEST_LINE = /^GET \/[!-~]* HTTP\/1\.1$/;
// RFC 9110, section 5.6.2 (token) and section 5.5, without the bytes above ASCII. The value keeps
// the white space around it.
const HEADER_LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([ -~\t]*)$/;
const UPGRADE_LINE = /\nupgrade:/i;
// RFC 6455, section 4.1: 16 bytes in base64.
const KEY = /^[+/0-9A-Za-z]{22}==$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VERSION = '13';
const END = '\r\n\r\n';

/** Longest ordinary request, in bytes. */
const REQUEST_BYTES_MAX = 4 * 1024;

/** Headers that an upgrade reads; each may occur once. */
const ASKED: ReadonlySet<string> = new Set([
  'host',
  'upgrade',
  'connection',
  'origin',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'x-forwarded-for',
]);

/**
 * Headers that announce a body or change the parsing: with any of them a request is not ordinary.
 */
const NOT_ORDINARY: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'expect',
  'trailer',
  'te',
]);

/** Returns whether a request, perhaps incomplete, has an `Upgrade` header. Parses nothing else. */
export function asksForUpgrade(text: string): boolean {
  return UPGRADE_LINE.test(text);
}

/**
 * Reads a WebSocket request (RFC 6455, section 4.2.1) that is complete, has nothing behind it, and
 * has the form in which browsers and libraries send it. Returns `undefined` for every other
 * request, valid or not: a complete parser decides. `text` has one character for each byte.
 */
export function readUpgradeRequest(text: string, limits: RequestLimits): UpgradeRequest | undefined {
  if (text.length > Math.min(REQUEST_BYTES_MAX, limits.headerBytesMax)) return undefined;
  if (!text.endsWith(END) || text.indexOf(END) !== text.length - END.length) return undefined;
  const [requestLine, ...lines] = text.slice(0, -END.length).split('\r\n');
  if (requestLine === undefined || !REQUEST_LINE.test(requestLine) || lines.length > limits.headersMax)
    return undefined;
  const headers = headersOf(lines, limits.tokenHeaders);
  return headers && requestOf(headers);
}

function headersOf(
  lines: readonly string[],
  tokenHeaders: ReadonlySet<string> | undefined,
): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, written, value] = HEADER_LINE.exec(line) ?? [];
    if (written === undefined || value === undefined) return undefined;
    const name = written.toLowerCase();
    if (NOT_ORDINARY.has(name) || headers.has(name) || tokenHeaders?.has(name)) return undefined;
    // Of white space, the pattern accepts spaces and tabs only (RFC 9110, section 5.6.3).
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
  const forwardedFor = headers.get('x-forwarded-for');
  return isOrdinary ? { key, origin, subprotocols, forwardedFor } : undefined;
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

/** Returns the response to a request (RFC 6455, section 4.2.2). */
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
