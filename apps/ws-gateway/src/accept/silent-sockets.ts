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
  /** How long a connection may say nothing, in milliseconds, and how often that is looked at. */
  readonly handshakeMs: number;
  readonly handshakeCheckMs: number;
}

/** Who gets connections that have said what they want. */
export interface SilentSocketEvents {
  /** Why a request for an upgrade may not be read, or `undefined` when it may. Asked once for each. */
  admit(): AdmissionRejection | undefined;
  /** A request for an upgrade that may not be read. */
  reject(socket: Socket, reason: AdmissionRejection): void;
  /** An ordinary request for a WebSocket that was admitted. Returns whether it was accepted. */
  upgrade(socket: Socket, request: UpgradeRequest): boolean;
  /** Anything else, or a request that was not accepted: what came is still to be read. */
  http(socket: Socket, isAdmitted: boolean): void;
  /** Nothing came in time. */
  silent(socket: Socket): void;
}

/**
 * Connections that have not said anything yet. Most will ask for a WebSocket, in one piece and in the ordinary form, and need no HTTP
 * server for that; all others are given to it as if they had just come.
 */
export class SilentSockets {
  readonly #options: SilentSocketOptions;
  readonly #receiver: SilentSocketEvents;
  /** In the order in which they came. */
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

  /** Cuts all that still wait. */
  close(): void {
    clearTimeout(this.#sweeper);
    for (const { socket } of this.#waiting) socket.destroy();
  }

  /** What it said first. Answers whether that was taken. */
  received({ socket }: SilentSocket, chunk: Buffer, length: number): boolean {
    const text = chunk.toString('latin1', 0, length);
    const isUpgrade = asksForUpgrade(text);
    if (isUpgrade) {
      // Before it is read: a handshake beyond the rate is to cost no work.
      const rejection = this.#receiver.admit();
      if (rejection !== undefined) {
        disown(socket);
        this.#receiver.reject(socket, rejection);
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

/** One connection that has not said anything yet. */
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
