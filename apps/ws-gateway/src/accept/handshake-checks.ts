import type { Socket } from 'node:net';
import type { Identity } from '../auth/identity.ts';
import type { TokenCheck, TokenChecks, TokenReceiver } from '../auth/token-checks.ts';
import { TokenError } from '../auth/token-error.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';

export interface HandshakeChecksOptions {
  readonly wheel: TimingWheel;
  /** Longest time of a check, in milliseconds. */
  readonly authMs: number;
}

type Done = (result: Identity | TokenError) => void;

const TOO_LATE = 'The token could not be checked in time. Try again later.';

/** Handshakes whose token is checked before their response. Their sockets are not read. */
export class HandshakeChecks {
  readonly #options: HandshakeChecksOptions;
  readonly #tokenChecks: TokenChecks;
  readonly #pending = new Set<HandshakeCheck>();

  constructor(options: HandshakeChecksOptions, tokenChecks: TokenChecks) {
    this.#options = options;
    this.#tokenChecks = tokenChecks;
  }

  /** Calls `done` with the result, unless the socket closes before. */
  add(socket: Socket, token: string, done: Done): void {
    const check: HandshakeCheck = new HandshakeCheck(socket, (result) => {
      this.#end(check);
      if (result !== undefined) done(result);
    });
    this.#pending.add(check);
    socket.once('close', check.socketClosed);
    const { wheel, authMs } = this.#options;
    wheel.schedule(check, wheel.ticksOf(authMs));
    check.running = this.#tokenChecks.check(token, check);
  }

  /** Destroys the sockets whose token is being checked. */
  close(): void {
    for (const { socket } of this.#pending) socket.destroy();
  }

  #end(check: HandshakeCheck): void {
    this.#pending.delete(check);
    this.#options.wheel.cancel(check);
    check.socket.removeListener('close', check.socketClosed);
    check.running?.cancel();
  }
}

class HandshakeCheck implements TokenReceiver, Timed {
  wheelSlot: number = NOT_WAITING;
  readonly socket: Socket;
  running: TokenCheck | undefined;
  readonly #end: (result: Identity | TokenError | undefined) => void;

  constructor(socket: Socket, end: (result: Identity | TokenError | undefined) => void) {
    this.socket = socket;
    this.#end = end;
  }

  readonly socketClosed = (): void => this.#end(undefined);

  tokenAccepted(identity: Identity): void {
    this.#end(identity);
  }

  tokenRejected(error: TokenError): void {
    this.#end(error);
  }

  expired(): void {
    this.#end(new TokenError('unavailable', TOO_LATE));
  }
}
