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

/** How a connection ended. */
export interface ConnectionEnd {
  readonly code: number;
  readonly reason: string;
  /** Whether the gateway wants to be tried again, where it said so; else the code says it. */
  readonly reconnect?: boolean;
  /** When the gateway wants to be tried again, where it said so. */
  readonly afterMs?: number | undefined;
  /** The exception or the event's error, where there was one. */
  readonly cause?: unknown;
}

/**
 * Is told what a connection does: the welcome first, and nothing after `ended`, which comes once, unless `close` was called.
 */
export interface ConnectionOwner {
  received(event: ClientEvent): void;
  ended(end: ConnectionEnd): void;
}

/** Why a connection ended, when nothing better is known; the cause says more. */
export const FAILED = 'The WebSocket failed.';

/**
 * One WebSocket.
 *
 *     dialling -> open (the welcome has come) -> ended
 */
export class Connection {
  readonly #owner: ConnectionOwner;
  readonly #socket: WebSocketLike;
  readonly #checkTimeoutMs: number;
  #state: 'dialling' | 'open' | 'ended' = 'dialling';
  #silenceTimer: ReturnType<typeof setInterval> | undefined;
  #silentLooks = 0;
  /** Gives up when the welcome has not come, or the answer to a check. */
  #answerTimer: ReturnType<typeof setTimeout> | undefined;

  /** Throws what the constructor of the WebSocket throws, and leaves nothing behind then. */
  constructor(options: GroupcastClientOptions, url: string, protocols: string[], owner: ConnectionOwner) {
    this.#owner = owner;
    const socket = new options.WebSocket(url, protocols);
    this.#socket = socket;
    this.#checkTimeoutMs = options.checkTimeoutMs;
    socket.addEventListener('message', ({ data }) => this.#receive(data));
    socket.addEventListener('close', ({ code, reason }) => this.#end({ code, reason }));
    socket.addEventListener('error', (event) => this.#failed(event as Failure));
    this.#answerTimer = setTimeout(() => this.#giveUp(), options.connectTimeoutMs);
  }

  send(command: object): void {
    if (this.#state !== 'open') return;
    try {
      this.#socket.send(JSON.stringify(command));
    } catch (cause) {
      // Later, because the sender is in the middle of its own work.
      queueMicrotask(() => this.#broke(cause));
    }
  }

  /** Asks the gateway for a sign of life. Without one the connection is given up, sooner than its silence would end it. */
  check(): void {
    this.#answerTimer ??= setTimeout(() => this.#giveUp(), this.#checkTimeoutMs);
    // The ids of commands that wait for an answer begin at 1.
    this.send({ cmd: 'ping', id: 0 });
  }

  /** Ends it in good order. The owner is told nothing more. */
  close(closeCode: number = NORMAL): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    clearTimeout(this.#answerTimer);
    clearInterval(this.#silenceTimer);
    try {
      this.#socket.close(closeCode);
    } catch {
      // It is of no more use, closed or not.
    }
    terminateLater(this.#socket);
  }

  #receive(data: unknown): void {
    if (this.#state === 'ended') return;
    if (this.#state === 'open') this.#answered();
    try {
      this.#handle(parseEvent(data));
    } catch (cause) {
      // Listeners do not throw into this: it is an event that nothing else has found to be wrong.
      this.#broke(cause, 'The gateway sent an invalid event.');
    }
  }

  #handle(event: ClientEvent): void {
    if (event.type === 'disconnect') {
      // A gateway that is about to end may say so instead of a welcome. It sends nothing more and takes nothing more.
      const { code, reason, reconnect, reconnect_after_ms: afterMs } = event;
      // Converted, so that what is no number and no text fails here, where it is caught.
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
    // Looks are counted, not time: a page that slept finds what came meanwhile before it has looked often enough.
    this.#silenceTimer = setInterval(() => {
      this.#silentLooks += 1;
      if (this.#silentLooks > LOOKS) this.#giveUp();
    }, silenceMs / LOOKS);
    this.#owner.received(welcome);
  }

  /** Before the connection is open, an error is the end: Node's own WebSocket has no close event then. */
  #failed({ message, error }: Failure): void {
    // Some runtimes have an empty message.
    if (this.#state === 'dialling') this.#broke(error, String(message || FAILED));
  }

  #broke(cause: unknown, reason: string = FAILED): void {
    this.#end({ code: NO_CLOSE_FRAME, reason, cause });
  }

  /** Closing a WebSocket that is dead takes its time; what comes of that is of no interest. */
  #giveUp(): void {
    this.#end({ code: NO_CLOSE_FRAME, reason: 'The gateway did not answer in time.' }, NO_ANSWER);
  }

  #end(end: ConnectionEnd, closeCode?: number): void {
    if (this.#state === 'ended') return;
    this.close(closeCode);
    this.#owner.ended(end);
  }
}

/** What some runtimes tell of an error of a WebSocket. */
interface Failure {
  readonly message?: unknown;
  readonly error?: unknown;
}

/** A duration that the gateway has given, within bounds; `undefined` where it is no number. */
function bounded(valueMs: number | undefined, minMs: number): number | undefined {
  return Number.isFinite(valueMs) ? Math.min(DURATION_MS_MAX, Math.max(minMs, valueMs as number)) : undefined;
}
