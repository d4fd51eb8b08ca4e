import { createHash, randomBytes } from 'node:crypto';

/** State of the answer to an upgrade. */
export type HandshakeAnswer =
  | { readonly kind: 'partial' }
  /** The first `headBytes` bytes were the head; frames follow. */
  | { readonly kind: 'upgraded'; readonly headBytes: number }
  /** The server is busy (503 or 429); retry after this time. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number }
  | { readonly kind: 'refused'; readonly reason: string };

const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HEAD_BYTES_MAX = 16 * 1024;
const RETRY_AFTER_MS_DEFAULT = 1_000;
const RETRY_AFTER_MS_MAX = 30_000;
const REASON_CHARS_MAX = 120;

/**
 * The upgrade request of all connections of a process. All share one key: it protects nothing and
 * only distinguishes caches.
 */
export class Handshake {
  readonly request: Buffer;
  readonly #accept: string;

  /** `host` and `path` are sent as given: `127.0.0.1:1234`, `/`. */
  constructor(host: string, path: string) {
    const key = randomBytes(16).toString('base64');
    this.#accept = createHash('sha1')
      .update(key + ACCEPT_GUID)
      .digest('base64');
    this.request = Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
  }

  /** Reads the complete answer so far. */
  read(bytes: Buffer): HandshakeAnswer {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      if (bytes.length <= HEAD_BYTES_MAX) return { kind: 'partial' };
      return { kind: 'refused', reason: 'the answer to the upgrade has no end' };
    }
    const head = bytes.toString('latin1', 0, end);
    const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
    if (status === '101') {
      if (head.includes(this.#accept)) return { kind: 'upgraded', headBytes: end + 4 };
      return { kind: 'refused', reason: 'the answer to the upgrade has a wrong Sec-WebSocket-Accept' };
    }
    if (status === '503' || status === '429') return { kind: 'busy', retryAfterMs: retryAfterMs(head) };
    const line = head.split('\r\n', 1)[0]?.slice(0, REASON_CHARS_MAX) ?? '';
    return { kind: 'refused', reason: `the upgrade was answered with "${line}"` };
  }
}

function retryAfterMs(head: string): number {
  const seconds = /^retry-after: *(\d{1,6})/im.exec(head)?.[1];
  if (seconds === undefined) return RETRY_AFTER_MS_DEFAULT;
  return Math.min(Number(seconds) * 1_000, RETRY_AFTER_MS_MAX);
}
