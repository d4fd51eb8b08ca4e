import type { Socket } from 'node:net';
import type { TcpHandle } from '@groupcast/stream-handle';
import { disown, own, type SocketOwner } from '../socket/socket-owner.ts';
import type { AdmissionRejection } from './upgrade.ts';
import {
  asksForUpgrade,
  type RequestLimits,
  readUpgradeRequest,
  type UpgradeRequest,
} from './upgrade-request.ts';

export interface SilentSocketOptions extends RequestLimits {
  /** Longest time without a request, and the interval of its check, in milliseconds. */
  readonly handshakeMs: number;
  readonly handshakeCheckMs: number;
}

/** Receiver of sockets that have sent a request. */
export interface SilentSocketEvents {
  /** Returns why an upgrade request must be rejected unread. Called once for each request. */
  admit(): AdmissionRejection | undefined;
  /** Rejects an upgrade request, whose text, perhaps incomplete, is unread. */
  reject(socket: Socket, reason: AdmissionRejection, text: string): void;
  /** Upgrades an ordinary, admitted request. Returns whether it was accepted. */
  upgrade(socket: Socket, request: UpgradeRequest): boolean;
  /** Serves any other request, or one that was not accepted. Its bytes are still unread. */
  http(socket: Socket, isAdmitted: boolean): void;
  /** Closes a socket that sent nothing in time. */
  silent(socket: Socket): void;
}

/**
 * Sockets that have sent nothing yet. Most of them will request a WebSocket in one chunk and in the
 * ordinary form, which needs no HTTP server. The others go to the HTTP server as if they were new.
 */
export class SilentSockets {
  readonly #options: SilentSocketOptions;
  readonly #receiver: SilentSocketEvents;
  /** The oldest first. */
  readonly #waiting = new Set<SilentSocket>();
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: SilentSocketOptions, receiver: SilentSocketEvents) {
    this.#options = options;
    this.#receiver = receiver;
  }

  add(socket: Socket, handle: TcpHandle): void {
    const silent = new SilentSocket(socket, this);
    this.#waiting.add(silent);
    own(socket, silent, handle);
    this.#sweeper ??= setTimeout(() => this.#sweep(), this.#options.handshakeCheckMs);
  }

  /** Destroys all sockets that are still silent. */
  close(): void {
    clearTimeout(this.#sweeper);
    for (const { socket } of this.#waiting) socket.destroy();
  }

  /** Handles the first chunk of a socket. Returns whether the chunk was consumed. */
  received({ socket }: SilentSocket, chunk: Buffer, length: number): boolean {
    const text = chunk.toString('latin1', 0, length);
    const isUpgrade = asksForUpgrade(text);
    if (isUpgrade) {
      // Before the request is read: a handshake above the rate limit must cost no work.
      const rejection = this.#receiver.admit();
      if (rejection !== undefined) {
        disown(socket);
        this.#receiver.reject(socket, rejection, text);
        return true;
      }
      const request = readUpgradeRequest(text, this.#options);
      if (request !== undefined && this.#receiver.upgrade(socket, request)) return true;
    }
    disown(socket);
    this.#receiver.http(socket, isUpgrade);
    return false;
  }

  remove(silent: SilentSocket): void {
    this.#waiting.delete(silent);
  }

  #sweep(): void {
    const { handshakeMs, handshakeCheckMs } = this.#options;
    const lateMs = performance.now() - handshakeMs;
    for (const silent of this.#waiting) {
      if (silent.sinceMs > lateMs) break;
      this.#waiting.delete(silent);
      disown(silent.socket);
      this.#receiver.silent(silent.socket);
    }
    this.#sweeper = this.#waiting.size > 0 ? setTimeout(() => this.#sweep(), handshakeCheckMs) : undefined;
  }
}

/** Owner of one socket that has sent nothing yet. */
class SilentSocket implements SocketOwner {
  readonly socket: Socket;
  readonly sinceMs: number = performance.now();
  readonly #sockets: SilentSockets;

  constructor(socket: Socket, sockets: SilentSockets) {
    this.socket = socket;
    this.#sockets = sockets;
  }

  read(chunk: Buffer, length: number): boolean {
    this.#sockets.remove(this);
    return this.#sockets.received(this, chunk, length);
  }

  end(): void {
    this.socket.destroy();
  }

  closed(): void {
    this.#sockets.remove(this);
  }
}
