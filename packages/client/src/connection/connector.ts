import {
  CLIENT_SESSION_PREFIX,
  CLIENT_SUBPROTOCOL_V1,
  type ClientEvent,
  reconnectDelayMs,
  reconnectsAfter,
  type WelcomeEvent,
} from '@groupcast/protocol/client';
import { GroupcastError } from '../groupcast-error.ts';
import { NO_CLOSE_FRAME, UNREACHABLE_ATTEMPTS } from '../limits.ts';
import type { GroupcastClientOptions } from '../options.ts';
import { Connection, type ConnectionEnd, type ConnectionOwner, FAILED } from './connection.ts';
import { followPage } from './page-events.ts';

/**
 *     connecting -> open              the gateway has said welcome
 *       ^   |        |
 *       |   v        v
 *      waiting <-----+                until the next attempt
 *
 * From each of them `suspend` leads to `suspended`, and `resume` from there to `connecting`. From all of them it goes to `closed`,
 * which is final: `close` was called, or the gateway does not want this client back.
 */
export type ClientState = 'connecting' | 'open' | 'waiting' | 'suspended' | 'closed';

export interface ConnectorOwner {
  /** The state has changed. `error` says how the last connection ended. */
  entered(state: ClientState, error: GroupcastError | undefined, waitMs: number | undefined): void;
  /** The welcome comes first, before the state is `open`. */
  received(event: ClientEvent): void;
}

/** A session has no other meaning here. What has not this form could not be offered as a subprotocol. */
const SESSION = /^[\w-]{1,256}$/;

/** Names of what a WebSocket throws at an address that it can never connect to: no URL, or `ws:` in a page of `https:`. */
const URL_ERRORS = ['SyntaxError', 'SecurityError'];

/** Keeps a connection to the gateway: connects, waits, and connects again. */
export class Connector implements ConnectionOwner {
  /** Changed here only. */
  state: ClientState = 'connecting';
  /** How the last connection ended. Changed here only. */
  error: GroupcastError | undefined;
  readonly #options: GroupcastClientOptions;
  readonly #url: string;
  readonly #owner: ConnectorOwner;
  #connection: Connection | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #protocols = [CLIENT_SUBPROTOCOL_V1];
  #attempt = 0;
  /** When the last welcome came, if one has. */
  #openedAtMs: number | undefined;
  #failures = 0;
  #leavePage: (() => void) | undefined;

  /** Begins to connect. Throws a GroupcastError `bad_url`. */
  constructor(url: string, options: GroupcastClientOptions, owner: ConnectorOwner) {
    this.#url = url;
    this.#options = options;
    this.#owner = owner;
    this.#dial(true);
    this.#leavePage = followPage(this);
  }

  /** Without effect unless open. */
  send(command: object): void {
    this.#connection?.send(command);
  }

  /** Connects anew and at once, with the same session. Without effect when closed. */
  reconnect(): void {
    if (this.state === 'closed') return;
    this.#attempt = 0;
    this.#stop();
    if (this.state === 'open') this.#wait(0);
    else this.#connect();
  }

  /** Connects at once unless suspended; an open connection is checked. */
  wake(): void {
    if (this.state === 'open') this.#connection?.check();
    else if (this.state !== 'suspended') this.reconnect();
  }

  /** Ends the connection, until `resume` or `reconnect`. Returns whether it had an effect. */
  suspend(): boolean {
    if (this.state === 'closed' || this.state === 'suspended') return false;
    this.#stop();
    this.#enter('suspended');
    return true;
  }

  /** Without effect unless suspended. */
  resume(): void {
    if (this.state === 'suspended') this.reconnect();
  }

  /** Ends for good. Without effect when that has happened. */
  close(error: GroupcastError): void {
    if (this.state === 'closed') return;
    this.#stop();
    this.#leavePage?.();
    this.error = error;
    this.#enter('closed');
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#connection?.close();
  }

  #connect(): void {
    this.#enter('connecting');
    if (this.state === 'connecting') this.#dial();
  }

  #wait(waitMs: number): void {
    this.#timer = setTimeout(() => this.#connect(), waitMs);
    this.#enter('waiting', waitMs);
  }

  /** Throws a GroupcastError `bad_url` at the first attempt. */
  #dial(isFirst = false): void {
    // A listener may have begun another.
    this.#stop();
    try {
      this.#connection = new Connection(this.#options, this.#url, this.#protocols, this);
    } catch (cause) {
      if (isFirst && URL_ERRORS.includes((cause as Error | undefined)?.name ?? '')) {
        throw new GroupcastError('bad_url', 'Check the URL.', { cause });
      }
      this.ended({ code: NO_CLOSE_FRAME, reason: FAILED, cause });
    }
  }

  received(event: ClientEvent): void {
    if (event.type === 'welcome') this.#open(event);
    else this.#owner.received(event);
  }

  #open(welcome: WelcomeEvent): void {
    const { session = '' } = welcome;
    this.#openedAtMs = performance.now();
    this.#protocols = [CLIENT_SUBPROTOCOL_V1];
    if (SESSION.test(session)) this.#protocols.push(CLIENT_SESSION_PREFIX + session);
    this.state = 'open';
    this.#owner.received(welcome);
    // A listener may have closed the client.
    if (this.state === 'open') this.#enter('open');
  }

  ended({ code, reason, reconnect = reconnectsAfter(code), afterMs, cause }: ConnectionEnd): void {
    const { reconnectMinMs: minMs, reconnectMaxMs: maxMs } = this.#options;
    const sentence = `The connection ended with ${code}${reason && `: ${reason}`}`;
    const error = new GroupcastError('disconnected', sentence, { closeCode: code, cause });
    if (!reconnect) {
      this.close(error);
      return;
    }
    // A gateway that lets us in and cuts us off at once must not be tried again and again without a wait.
    if (this.state === 'open' && performance.now() - (this.#openedAtMs as number) >= maxMs) this.#attempt = 0;
    const ownMs = reconnectDelayMs(this.#attempt, { minMs, maxMs });
    const waitMs = this.#attempt === 0 ? (afterMs ?? ownMs) : Math.max(afterMs ?? 0, ownMs);
    this.#attempt += 1;
    this.#failures += 1;
    // Browsers do not tell why an attempt fails.
    this.error =
      this.#openedAtMs === undefined && this.#failures >= UNREACHABLE_ATTEMPTS
        ? new GroupcastError('unreachable', 'Check the URL and the allowed origins.', {
            closeCode: code,
            cause: error,
          })
        : error;
    this.#wait(waitMs);
  }

  #enter(state: ClientState, waitMs?: number): void {
    this.state = state;
    this.#owner.entered(state, this.error, waitMs);
  }
}
