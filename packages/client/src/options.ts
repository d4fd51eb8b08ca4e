import { terminable } from '#terminable';
import type { WebSocketConstructor } from './connection/websocket-like.ts';
import { GroupcastError } from './groupcast-error.ts';
import { NUMBER_MAX, SEND_TIMEOUT_MS_MAX } from './limits.ts';

/** The argument of `getToken`. */
export interface TokenRequest {
  /**
   * Reason for the call: there is no token yet, it expires soon, it has expired, or the gateway has
   * rejected it.
   */
  readonly reason: 'connect' | 'refresh' | 'expired' | 'rejected';
}

export interface GroupcastClientOptions {
  /** Class of the connections. Default: the global one. In Node 20, pass the class of `ws`. */
  readonly WebSocket: WebSocketConstructor;
  /** JWT of the user, at most 4 KiB. Without `getToken`, the client ends when it expires. */
  readonly token?: string | undefined;
  /**
   * Returns a token: called when there is no token, when it expires soon, and when the gateway asks
   * for another one. A call that fails is repeated after a wait.
   */
  readonly getToken?: ((request: TokenRequest) => string | PromiseLike<string>) | undefined;
  /**
   * Milliseconds of an attempt to connect, up to the gateway's welcome, and of a call of
   * `getToken`. Default 15 s.
   */
  readonly connectTimeoutMs: number;
  /**
   * Upper bound of the first wait before a reconnect. It doubles with each attempt. Default 0.5 s.
   */
  readonly reconnectMinMs: number;
  /** Upper bound of every wait. A connection that lasts as long resets the bound. Default 20 s. */
  readonly reconnectMaxMs: number;
  /**
   * Milliseconds for the answer to a ping, when the page becomes visible or the network has
   * changed. Default 2 s.
   */
  readonly checkTimeoutMs: number;
  /** Milliseconds for the answer to a command before it is retried. Default 15 s. */
  readonly answerTimeoutMs: number;
  /**
   * Milliseconds until an unanswered `send` rejects. Default 60 s, at most 100 s: the hub
   * recognises a message for 120 s, and the last repetition takes its time.
   */
  readonly sendTimeoutMs: number;
  /** Unanswered messages. One more rejects with `queue_full`. Default 1,000. */
  readonly sendQueueMax: number;
  /** Bytes of unanswered messages. One more message rejects with `queue_full`. Default 4 MiB. */
  readonly sendQueueBytesMax: number;
  /** Messages that an iteration buffers. One more ends it with `buffer_full`. Default 1,000. */
  readonly bufferMax: number;
}

const CLIENT_DEFAULTS: Omit<GroupcastClientOptions, 'WebSocket' | 'token' | 'getToken'> = {
  // Longer than the 10 s after which a gateway closes a connection without a token.
  connectTimeoutMs: 15_000,
  reconnectMinMs: 500,
  reconnectMaxMs: 20_000,
  checkTimeoutMs: 2_000,
  answerTimeoutMs: 15_000,
  sendTimeoutMs: 60_000,
  sendQueueMax: 1_000,
  sendQueueBytesMax: 4 * 1024 * 1024,
  bufferMax: 1_000,
};

/** Tokens that can be part of a subprotocol, of at most 4 KiB. */
const TOKEN = /^[\w.-]{1,4096}$/;

/**
 * Returns the options with their defaults. Throws a GroupcastError `bad_option` or `no_websocket`.
 */
export function completeOptions(given: Partial<GroupcastClientOptions>): GroupcastClientOptions {
  if (Object(given) !== given) throw badOption('options must be an object.');
  const { WebSocket = (globalThis as { readonly WebSocket?: WebSocketConstructor }).WebSocket } = given;
  if (WebSocket === undefined) {
    throw new GroupcastError('no_websocket', 'Pass the WebSocket of ws.');
  }
  if (typeof WebSocket !== 'function') throw badOption('WebSocket must be a class.');
  const { token, getToken } = given;
  if (token !== undefined) checkToken(token);
  if (getToken && typeof getToken !== 'function') throw badOption('getToken must be a function.');
  const options: Record<string, number> = {};
  for (const [name, byDefault] of Object.entries(CLIENT_DEFAULTS)) {
    const max = name === 'sendTimeoutMs' ? SEND_TIMEOUT_MS_MAX : NUMBER_MAX;
    const { [name as keyof typeof CLIENT_DEFAULTS]: value = byDefault } = given;
    checkWhole(name, value, max);
    options[name] = value;
  }
  return {
    ...options,
    token,
    getToken,
    WebSocket: terminable(WebSocket),
  } as unknown as GroupcastClientOptions;
}

/** Checks an integer, or `undefined`. Throws a GroupcastError `bad_option`. */
export function checkWhole(name: string, value: number = 1, max: number = NUMBER_MAX): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw badOption(`${name} must be an integer from 1 to ${max}.`);
}

/**
 * Returns a token that can be part of a subprotocol. Throws a GroupcastError `bad_option`, which
 * does not contain it.
 */
export function checkToken(token: string): string {
  if (typeof token === 'string' && TOKEN.test(token)) return token;
  throw badOption('token must be a JWT of at most 4,096 bytes.');
}

export function badOption(sentence: string, cause?: unknown): GroupcastError {
  return new GroupcastError('bad_option', sentence, { cause });
}
