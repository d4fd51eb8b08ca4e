import {
  CLIENT_SESSION_PREFIX,
  CLIENT_SUBPROTOCOL_V1,
  CLIENT_SUBPROTOCOL_V1_AT,
  type ClientEvent,
  reconnectDelayMs,
  reconnectsAfter,
  type WelcomeEvent,
} from '@groupcast/protocol/client';
import { GroupcastError } from '../groupcast-error.ts';
import { NO_CLOSE_FRAME, REFRESH_ID, TOKEN_EXPIRED, UNREACHABLE_ATTEMPTS } from '../limits.ts';
import type { GroupcastClientOptions } from '../options.ts';
import { Connection, type ConnectionEnd, type ConnectionOwner, FAILED } from './connection.ts';
import { followPage } from './page-events.ts';
import { Tokens } from './tokens.ts';

/**
 * The state of a client.
 *
 *     connecting -> open              welcome received
 *       ^   |        |
 *       |   v        v
 *      waiting <-----+                until the next attempt
 *
 * `suspend` leads from each of them to `suspended`, and `resume` from there to `connecting`.
 * `closed` is final: the application called `close`, or the gateway rejected the client for good.
 */
export type ClientState = 'connecting' | 'open' | 'waiting' | 'suspended' | 'closed';

/** The end of a connection that the client did not close itself, or a failed attempt. */
export interface Disconnected {
  /** The close code, 1006 without a close frame. */
  readonly code: number;
  /** Text of the gateway, or the reason why the client gave up the connection. */
  readonly reason: string;
  /** False: the client is closed. */
  readonly reconnects: boolean;
}

export interface ConnectorOwner {
  /** Handles a new state. `error` is the end of the last connection. */
  entered(state: ClientState, error: GroupcastError | undefined, waitMs: number | undefined): void;
  /** Handles an error that the application needs to know although the client keeps trying. */
  failed(error: GroupcastError): void;
  /** Handles the end of a connection, after the new state. */
  disconnected(end: Disconnected): void;
  /** Handles an event. The welcome is the first, before the state is `open`. */
  received(event: ClientEvent): void;
}

/** Subprotocols, the preferred one first: an older gateway accepts the second. */
const PROTOCOLS: readonly string[] = [CLIENT_SUBPROTOCOL_V1_AT, CLIENT_SUBPROTOCOL_V1];

/** Sessions that can be part of a subprotocol. The content has no meaning here. */
const SESSION = /^[\w-]{1,256}$/;

/** Names of the exceptions for a URL that is invalid, or is `ws:` in a page of `https:`. */
const URL_ERRORS = ['SyntaxError', 'SecurityError'];

/** Keeps a connection to the gateway: connects, waits, and reconnects. */
export class Connector implements ConnectionOwner {
  /** Read-only for others. */
  state: ClientState = 'connecting';
  /** The end of the last connection. Read-only for others. */
  error: GroupcastError | undefined;
  readonly #options: GroupcastClientOptions;
  readonly #url: string;
  readonly #owner: ConnectorOwner;
  readonly #tokens: Tokens;
  #connection: Connection | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #protocols = PROTOCOLS;
  #attempt = 0;
  /** Time of the last welcome, in milliseconds of `performance.now()`. */
  #openedAtMs: number | undefined;
  #failures = 0;
  #leavePage: (() => void) | undefined;

  /** Connects. Throws a GroupcastError `bad_url`. */
  constructor(url: string, options: GroupcastClientOptions, owner: ConnectorOwner) {
    this.#url = url;
    this.#options = options;
    this.#owner = owner;
    this.#tokens = new Tokens(options, {
      send: (command) => this.send(command),
      failed: (error) => owner.failed(error),
    });
    this.#dial(true);
    this.#leavePage = followPage(this);
  }

  /** Sends a command. Without effect unless open. */
  send(command: object): void {
    this.#connection?.send(command);
  }

  /** Connects at once, with the same session. Without effect when closed. */
  reconnect(): void {
    if (this.state === 'closed') return;
    this.#attempt = 0;
    this.#stop();
    if (this.state === 'open') this.#wait(0);
    else this.#connect();
  }

  /** Connects at once, or checks the open connection. Without effect when suspended. */
  wake(): void {
    if (this.state === 'open') this.#connection?.check();
    else if (this.state !== 'suspended') this.reconnect();
  }

  /** Closes the connection until `resume` or `reconnect`. Returns whether it had an effect. */
  suspend(): boolean {
    if (this.state === 'closed' || this.state === 'suspended') return false;
    this.#stop();
    this.#enter('suspended');
    return true;
  }

  /** Connects again. Without effect unless suspended. */
  resume(): void {
    if (this.state === 'suspended') this.reconnect();
  }

  /** Closes for good. Without effect when closed. */
  close(error: GroupcastError): void {
    if (this.state === 'closed') return;
    this.#stop();
    this.#tokens.close();
    this.#leavePage?.();
    this.error = error;
    this.#enter('closed');
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#tokens.stop();
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

  /** Throws a GroupcastError `bad_url` in the call of the constructor. */
  #dial(isConstructing = false): void {
    // A listener can have started another connection.
    this.#stop();
    const tokens = this.#tokens;
    if (tokens.isNeeded()) {
      tokens.fetch((error) => (error ? this.#retry(error) : this.#dial()));
      return;
    }
    try {
      const protocols = [...this.#protocols, ...tokens.protocols];
      this.#connection = new Connection(this.#options, this.#url, protocols, this);
    } catch (cause) {
      const isUrl = URL_ERRORS.includes((cause as Error | undefined)?.name ?? '');
      if (this.#connection || !isUrl) {
        this.ended({ code: NO_CLOSE_FRAME, reason: FAILED, cause });
        return;
      }
      const error = new GroupcastError('bad_url', 'Check the URL.', { cause });
      if (isConstructing) throw error;
      this.close(error);
    }
  }

  received(event: ClientEvent): void {
    if (event.type === 'welcome') this.#open(event);
    else if ('id' in event && event.id === REFRESH_ID) {
      if (event.type === 'ack') this.#tokens.accepted(event);
      else this.#tokens.rejected(event);
    } else this.#owner.received(event);
  }

  #open(welcome: WelcomeEvent): void {
    const { session = '' } = welcome;
    this.#openedAtMs = performance.now();
    this.#protocols = SESSION.test(session) ? [...PROTOCOLS, CLIENT_SESSION_PREFIX + session] : PROTOCOLS;
    this.state = 'open';
    this.#tokens.accepted(welcome);
    this.#owner.received(welcome);
    // A listener can have closed the client.
    if (this.state === 'open') this.#enter('open');
  }

  ended({ code, reason, reconnect = reconnectsAfter(code), afterMs, cause }: ConnectionEnd): void {
    const isGoingOn = this.#tokens.ended(code) ?? reconnect;
    const sentence = `The connection ended with ${code}${reason && `: ${reason}`}`;
    const name = isGoingOn || code !== TOKEN_EXPIRED ? 'disconnected' : 'token_expired';
    let error = new GroupcastError(name, sentence, { closeCode: code, cause });
    this.#failures += 1;
    // Browsers do not report why an attempt fails.
    const isUnreachable =
      isGoingOn && this.#openedAtMs === undefined && this.#failures >= UNREACHABLE_ATTEMPTS;
    if (isUnreachable) {
      const advice = 'Check the URL and the allowed origins.';
      error = new GroupcastError('unreachable', advice, { closeCode: code, cause: error });
    }
    if (isGoingOn) this.#retry(error, afterMs);
    else this.close(error);
    if (isUnreachable) this.#owner.failed(error);
    this.#owner.disconnected({ code, reason, reconnects: isGoingOn });
  }

  /** Waits until the next attempt. The gateway can ask for another wait. */
  #retry(error: GroupcastError, afterMs?: number): void {
    const { reconnectMinMs: minMs, reconnectMaxMs: maxMs } = this.#options;
    // Without this wait, a gateway that accepts and closes at once would be retried in a loop.
    if (this.state === 'open' && performance.now() - (this.#openedAtMs as number) >= maxMs) this.#attempt = 0;
    const ownMs = reconnectDelayMs(this.#attempt, { minMs, maxMs });
    const waitMs = this.#attempt === 0 ? (afterMs ?? ownMs) : Math.max(afterMs ?? 0, ownMs);
    this.#attempt += 1;
    this.error = error;
    this.#wait(waitMs);
  }

  #enter(state: ClientState, waitMs?: number): void {
    this.state = state;
    this.#owner.entered(state, this.error, waitMs);
  }
}
