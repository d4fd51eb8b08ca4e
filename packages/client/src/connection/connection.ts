import type { ClientEvent, WelcomeEvent } from '@groupcast/protocol/client';
import { terminateLater } from '#terminable';
import {
  DURATION_MS_MAX,
  LOOKS,
  NO_ANSWER,
  NO_CLOSE_FRAME,
  NORMAL,
  SILENCE_MS,
  SILENCE_MS_MIN,
} from '../limits.ts';
import type { GroupcastClientOptions } from '../options.ts';
import type { WebSocketLike } from './websocket-like.ts';
import { parseEvent } from './wire.ts';

/** The end of a connection. */
export interface ConnectionEnd {
  readonly code: number;
  readonly reason: string;
  /** The gateway's answer to whether to reconnect. Without it the code decides. */
  readonly reconnect?: boolean;
  /** Milliseconds that the gateway asks to wait before a reconnect. */
  readonly afterMs?: number | undefined;
  /** The exception, or the error of the event. */
  readonly cause?: unknown;
}

/**
 * Receives the events of a connection: first the welcome, last `ended`, once. After a call of
 * `close` it receives nothing.
 */
export interface ConnectionOwner {
  received(event: ClientEvent): void;
  ended(end: ConnectionEnd): void;
}

/** Reason of an end that the runtime does not explain. The cause has the details. */
export const FAILED = 'The WebSocket failed.';

/**
 * One WebSocket.
 *
 *     dialling -> open (welcome received) -> ended
 */
export class Connection {
  readonly #owner: ConnectionOwner;
  readonly #socket: WebSocketLike;
  readonly #checkTimeoutMs: number;
  #state: 'dialling' | 'open' | 'ended' = 'dialling';
  #silenceTimer: ReturnType<typeof setInterval> | undefined;
  #silentLooks = 0;
  /** Closes the connection when the welcome, or the answer to a check, is late. */
  #answerTimer: ReturnType<typeof setTimeout> | undefined;

  /** Connects. Throws the exception of the WebSocket's constructor, and starts no timer then. */
  constructor(
    options: GroupcastClientOptions,
    url: string,
    protocols: readonly string[],
    owner: ConnectionOwner,
  ) {
    this.#owner = owner;
    const socket = new options.WebSocket(url, [...protocols]);
    this.#socket = socket;
    this.#checkTimeoutMs = options.checkTimeoutMs;
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('close', ({ code, reason }) => this.#end({ code, reason }));
    socket.addEventListener('error', (event) => this.#failed(event as Failure));
    this.#answerTimer = setTimeout(() => this.#abandon(), options.connectTimeoutMs);
  }

  send(command: object): void {
    if (this.#state !== 'open') return;
    try {
      this.#socket.send(JSON.stringify(command));
    } catch (cause) {
      // Deferred, because the sender does not expect the end of its connection in this call.
      queueMicrotask(() => this.#broke(cause));
    }
  }

  /** Pings the gateway, and closes the connection without an event within `checkTimeoutMs`. */
  check(): void {
    this.#answerTimer ??= setTimeout(() => this.#abandon(), this.#checkTimeoutMs);
    // The ids of commands begin at 1.
    this.send({ cmd: 'ping', id: 0 });
  }

  /** Closes the connection gracefully, without an event to the owner. */
  close(closeCode: number = NORMAL): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#answerTimer);
    clearInterval(this.#silenceTimer);
    try {
      this.#socket.close(closeCode);
    } catch {
      // The socket is not used any more, closed or not.
    }
    terminateLater(this.#socket);
  }

  #receive(data: unknown): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'open') this.#answered();
    try {
      this.#handle(parseEvent(data));
    } catch (cause) {
      // Not from a listener, whose exceptions do not get here: the event itself is invalid.
      this.#broke(cause, 'The gateway sent an invalid event.');
    }
  }

  #handle(event: ClientEvent): void {
    if (event.type === 'disconnect') {
      // A gateway that drains can send it instead of a welcome. It is the last event.
      const { code, reason, reconnect, reconnect_after_ms: afterMs } = event;
      // Converted, so that an object of the wrong type throws here, inside the `try` of the caller.
      this.#end({ code: +code, reason: `${reason ?? ''}`, reconnect, afterMs: bounded(afterMs, 0) });
    } else if (this.#state === 'dialling') {
      if (event.type === 'welcome') this.#open(event);
    } else if (event.type === 'ping') {
      this.send({ cmd: 'ping' });
    } else {
      this.#owner.received(event);
    }
  }

  #answered(): void {
    this.#silentLooks = 0;
    clearTimeout(this.#answerTimer);
    this.#answerTimer = undefined;
  }

  #open(welcome: WelcomeEvent): void {
    this.#state = 'open';
    this.#answered();
    const { interval_ms: intervalMs, timeout_ms: timeoutMs } = welcome.heartbeat ?? {};
    const silenceMs = bounded(intervalMs + timeoutMs, SILENCE_MS_MIN) ?? SILENCE_MS;
    // Counts looks instead of time: a page that slept receives its events before the last look.
    this.#silenceTimer = setInterval(() => {
      this.#silentLooks += 1;
      if (this.#silentLooks > LOOKS) this.#abandon();
    }, silenceMs / LOOKS);
    this.#owner.received(welcome);
  }

  /** Ends a connection that never opened: the WebSocket of Node has no close event then. */
  #failed({ message, error }: Failure): void {
    // The message is empty in some runtimes.
    if (this.#state === 'dialling') this.#broke(error, String(message || FAILED));
  }

  #broke(cause: unknown, reason: string = FAILED): void {
    this.#end({ code: NO_CLOSE_FRAME, reason, cause });
  }

  /** Ends a silent connection now, because closing a dead WebSocket takes long. */
  #abandon(): void {
    this.#end({ code: NO_CLOSE_FRAME, reason: 'The gateway did not answer in time.' }, NO_ANSWER);
  }

  #end(end: ConnectionEnd, closeCode?: number): void {
    if (this.#state === 'ended') return;
    this.close(closeCode);
    this.#owner.ended(end);
  }
}

/** The fields of an error event, which some runtimes lack. */
interface Failure {
  readonly message?: unknown;
  readonly error?: unknown;
}

/** Returns a duration from the gateway within bounds; `undefined` when it is not a number. */
function bounded(valueMs: number | undefined, minMs: number): number | undefined {
  return Number.isFinite(valueMs) ? Math.min(DURATION_MS_MAX, Math.max(minMs, valueMs as number)) : undefined;
}
