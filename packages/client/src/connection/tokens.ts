import {
  type AckEvent,
  CLIENT_TOKEN_PREFIX,
  type ErrorEvent,
  reconnectDelayMs,
} from '@groupcast/protocol/client';
import { GroupcastError } from '../groupcast-error.ts';
import {
  AUTH_TIMEOUT,
  REFRESH_ID,
  REFRESH_MS_MIN,
  REFRESH_SHARE_MIN,
  REFRESH_SHARE_SPREAD,
  TOKEN_EXPIRED,
  TOKEN_LOOK_MS,
  UNAUTHORIZED,
} from '../limits.ts';
import { checkToken, type GroupcastClientOptions, type TokenRequest } from '../options.ts';
import { errorOf } from './wire.ts';

/** The part of the connector that tokens use. */
export interface TokensOwner {
  /** Sends a command on the open connection. */
  send(command: object): void;
  /** Handles a failed call of `getToken`, or the rejection of a refresh. */
  failed(error: GroupcastError): void;
}

/**
 * The token of a client, and its renewal by `getToken`. One call of `getToken` is under way at a
 * time. If its connection ends meanwhile, the next connection waits for the same call.
 */
export class Tokens {
  readonly #options: GroupcastClientOptions;
  readonly #owner: TokensOwner;
  /** The newest token. `undefined` when the next connection needs another one. */
  #token: string | undefined;
  #reason: TokenRequest['reason'];
  /** Time of `Date.now()`, which counts the sleep of a computer. NaN: unknown. */
  #expiresAtMs = Number.NaN;
  /** Identifies the call of `getToken` that is under way. */
  #call: object | undefined;
  /** Continues after the call, unless the connection has ended. */
  #done: ((error?: GroupcastError) => void) | undefined;
  /** Begins the next refresh, or ends a call or a refresh without an answer. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The gateway has rejected a token, and accepted none since. */
  #isRejected = false;
  /** Failed refreshes in a row. */
  #failures = 0;

  constructor(options: GroupcastClientOptions, owner: TokensOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#token = options.token;
    this.#reason = options.token ? 'refresh' : 'connect';
  }

  /** The subprotocol that carries the token, if there is one. */
  get protocols(): readonly string[] {
    return this.#token ? [CLIENT_TOKEN_PREFIX + this.#token] : [];
  }

  /** Returns whether the next connection needs a `fetch`. */
  isNeeded(): boolean {
    if (Date.now() >= this.#expiresAtMs) this.#keep(undefined, 'expired');
    return !!this.#options.getToken && !this.#token;
  }

  /** Gets a new token. Calls `done` then, or with an error, unless `stop` comes before. */
  fetch(done: (error?: GroupcastError) => void): void {
    const { getToken, connectTimeoutMs } = this.#options;
    this.stop();
    this.#done = done;
    this.#timer = setTimeout(() => this.#settle('Timeout.'), connectTimeoutMs);
    if (this.#call) return;
    const call = {};
    this.#call = call;
    const settle = (cause: unknown, token?: string): void => {
      if (this.#call === call) this.#settle(cause, token);
    };
    Promise.resolve({ reason: this.#reason })
      .then(getToken)
      .then(checkToken)
      .then((token) => settle(undefined, token), settle);
  }

  /** Ends the work for a connection. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#done = undefined;
  }

  /** Ends the work for good. */
  close(): void {
    this.stop();
    this.#call = undefined;
  }

  /**
   * Handles a close code. Returns whether to connect again, or `undefined` if that does not depend
   * on the token.
   */
  ended(code: number): boolean | undefined {
    this.stop();
    if (![TOKEN_EXPIRED, AUTH_TIMEOUT, UNAUTHORIZED].includes(code)) return undefined;
    const isLast = this.#isRejected && code === UNAUTHORIZED;
    this.#isRejected = code === UNAUTHORIZED;
    this.#keep(undefined, this.#isRejected ? 'rejected' : 'expired');
    return !!this.#options.getToken && !isLast;
  }

  /** Handles a welcome or the ack of a refresh: the gateway has accepted the token. */
  accepted({ token_expires_in_ms: expiresInMs = Number.NaN }: Pick<AckEvent, 'token_expires_in_ms'>): void {
    clearTimeout(this.#timer);
    this.#isRejected = false;
    this.#failures = 0;
    this.#expiresAtMs = Date.now() + expiresInMs;
    const share = REFRESH_SHARE_MIN + Math.random() * REFRESH_SHARE_SPREAD;
    if (Number.isFinite(expiresInMs)) this.#refreshIn(Math.max(REFRESH_MS_MIN, expiresInMs * share));
  }

  /** Handles the rejection of a refresh. The connection keeps the token that it has. */
  rejected(event: ErrorEvent): void {
    const error = errorOf(event);
    if (!error.temporary) this.#keep(undefined, 'rejected');
    this.#retry();
    this.#owner.failed(error);
  }

  /** Keeps a new token, or none. `reason` is that of the next call of `getToken`. */
  #keep(token: string | undefined, reason: TokenRequest['reason']): void {
    this.#token = token;
    this.#reason = reason;
    this.#expiresAtMs = Number.NaN;
  }

  #settle(cause: unknown, token?: string): void {
    clearTimeout(this.#timer);
    this.#call = undefined;
    const error = token ? undefined : new GroupcastError('token_failed', 'See the cause.', { cause });
    if (error) this.#owner.failed(error);
    else this.#keep(token, 'refresh');
    // A listener can have closed the client.
    this.#done?.(error);
  }

  /** Looks at the clock at least every `TOKEN_LOOK_MS`, because timers can stop while it sleeps. */
  #refreshIn(waitMs: number): void {
    if (!this.#options.getToken) return;
    const atMs = Date.now() + waitMs;
    this.#timer = setTimeout(
      () => {
        const leftMs = atMs - Date.now();
        if (leftMs > 0) this.#refreshIn(leftMs);
        else this.#refresh();
      },
      Math.min(waitMs, TOKEN_LOOK_MS),
    );
  }

  #refresh(): void {
    this.fetch((error) => {
      if (error) {
        this.#retry();
        return;
      }
      this.#owner.send({ cmd: 'refresh', token: this.#token, id: REFRESH_ID });
      this.#refreshIn(this.#options.answerTimeoutMs);
    });
  }

  #retry(): void {
    const { reconnectMinMs: minMs, reconnectMaxMs: maxMs } = this.#options;
    clearTimeout(this.#timer);
    this.#refreshIn(reconnectDelayMs(this.#failures, { minMs, maxMs }));
    this.#failures += 1;
  }
}
