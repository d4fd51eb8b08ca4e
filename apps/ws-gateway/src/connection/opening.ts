import { CLOSE_CODES, type CloseReason, limits } from '@groupcast/protocol';
import { type ClientCommand, CommandError, type CommandId } from '@groupcast/protocol/schema';
import type { Identity } from '../auth/identity.ts';
import type { TokenCheck, TokenChecks, TokenReceiver } from '../auth/token-checks.ts';
import type { TokenError, TokenErrorCode } from '../auth/token-error.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';
import type { Handshake } from './handshake.ts';

const NO_TOKEN_YET = 'This gateway needs a token. Send the command auth first.';
const NOT_CHECKED = 'The token could not be checked in time. Connect again.';
const TOO_MANY = 'Too many messages before the welcome. Wait for it.';

const CLOSE_REASONS: Readonly<Record<TokenErrorCode, CloseReason>> = {
  invalid: 'unauthorized',
  expired: 'token_expired',
  unavailable: 'internal_error',
};

/** The part of a connection that its opening uses. */
interface OpeningClient {
  readonly protocol: ClientProtocol;
  /** Accepts the client, and calls `done` when the positions for the welcome are known. */
  accept(session: string | undefined, identity: Identity | undefined, done: () => void): void;
  /** Sends the welcome. `id` is that of the command `auth`. */
  open(session: string | undefined, id: CommandId | undefined): void;
  /** Ends the opening: it receives no more messages. */
  opened(): void;
  /** Executes a command. */
  execute(text: string, bytes: number): void;
  close(reason: CloseReason, reconnectAfterMs?: number, text?: string): void;
}

export interface OpeningDeps {
  /** Undefined where clients have no tokens. */
  readonly tokenChecks: TokenChecks | undefined;
  /** `namespace`: clients need no token. */
  readonly anonymous: 'deny' | 'namespace';
  readonly wheel: TimingWheel;
  /** Longest time until a token is accepted, in milliseconds. */
  readonly authMs: number;
  /** Maximum messages that wait for the welcome, and their bytes. */
  readonly earlyMessagesMax: number;
  readonly earlyBytesMax: number;
}

/** A message that waits for the welcome. */
interface EarlyMessage {
  readonly text: string;
  readonly bytes: number;
}

/**
 * The way of a connection to its welcome.
 *
 *     waiting (for a token) -> checking (the token) -> accepted (positions are read) -> over
 *
 * A token of the handshake begins with `checking`, a client without tokens with `accepted`. While
 * it waits, every command but `auth` is rejected. Later commands wait for the welcome. An anonymous
 * client gets its welcome first, and may still authenticate with its first command.
 */
export class Opening implements TokenReceiver, Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #client: OpeningClient;
  /** Secret of the client, which the welcome has. */
  readonly #session: string | undefined;
  readonly #deps: OpeningDeps;
  #state: 'waiting' | 'checking' | 'accepted' | 'anonymous' | 'over' = 'waiting';
  #deadlineTick = 0;
  #early: EarlyMessage[] = [];
  #earlyBytes = 0;
  #check: TokenCheck | undefined;
  /** Of the command `auth`. */
  #id: CommandId | undefined;

  constructor(client: OpeningClient, session: string | undefined, deps: OpeningDeps) {
    this.#client = client;
    this.#session = session;
    this.#deps = deps;
  }

  /** Begins with the tokens of the handshake. */
  begin({ token, identity }: Pick<Handshake, 'token' | 'identity'>): void {
    const { tokenChecks, anonymous } = this.#deps;
    if (tokenChecks === undefined || identity !== undefined) this.#accept(identity);
    else if (token !== undefined) this.#startCheck(token);
    else if (anonymous === 'namespace') this.#accept(undefined);
    else this.#startTimer();
  }

  /** Receives a message. Throws CommandError when the command is rejected. */
  receive(text: string, bytes: number): void {
    if (this.#state === 'checking' || this.#state === 'accepted') {
      this.#hold({ text, bytes });
    } else if (this.#state === 'anonymous') {
      this.#receiveFirst(text, bytes);
    } else {
      const command = this.#client.protocol.parseCommand(text);
      if (command.cmd !== 'auth') throw new CommandError('unauthorized', NO_TOKEN_YET, command.id);
      this.#startCheck(command.token, command.id);
    }
  }

  tokenAccepted(identity: Identity): void {
    this.#accept(identity);
  }

  tokenRejected({ code, message }: TokenError): void {
    const reason = CLOSE_REASONS[code];
    const isShort = Buffer.byteLength(message) <= limits.CLOSE_REASON_BYTES_MAX;
    this.#client.close(reason, undefined, isShort ? message : CLOSE_CODES[reason].reason);
  }

  expired(): void {
    if (this.#deps.wheel.now < this.#deadlineTick) this.#schedule();
    else if (this.#state === 'checking') this.#client.close('internal_error', undefined, NOT_CHECKED);
    else this.#client.close('auth_timeout');
  }

  /** Ends it in any state. */
  end(): void {
    this.#state = 'over';
    this.#check?.cancel();
    this.#deps.wheel.cancel(this);
  }

  /** Receives the first command of an anonymous client, which has its welcome. */
  #receiveFirst(text: string, bytes: number): void {
    const command = this.#parse(text);
    if (command?.cmd === 'auth') {
      this.#startCheck(command.token, command.id);
      return;
    }
    this.end();
    this.#client.opened();
    this.#client.execute(text, bytes);
  }

  /** Returns a command. Undefined if it is invalid: to execute it tells the client why. */
  #parse(text: string): ClientCommand | undefined {
    try {
      return this.#client.protocol.parseCommand(text);
    } catch {
      return undefined;
    }
  }

  #startCheck(token: string, id?: CommandId): void {
    this.#id = id;
    this.#state = 'checking';
    this.#startTimer();
    this.#check = this.#deps.tokenChecks?.check(token, this);
  }

  #accept(identity: Identity | undefined): void {
    this.#deps.wheel.cancel(this);
    this.#state = 'accepted';
    this.#client.accept(this.#session, identity, () => this.#open(identity));
  }

  #open(identity: Identity | undefined): void {
    if (this.#state !== 'accepted') return;
    this.#client.open(this.#session, this.#id);
    if (this.#state !== 'accepted') return;
    const isAnonymous = identity === undefined && this.#deps.tokenChecks !== undefined;
    this.#state = isAnonymous ? 'anonymous' : 'over';
    if (!isAnonymous) this.#client.opened();
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    for (const { text, bytes } of early) {
      // The first one of an anonymous client may be a token.
      if (this.#state === 'over') this.#client.execute(text, bytes);
      else this.receive(text, bytes);
    }
  }

  #hold(message: EarlyMessage): void {
    const { earlyMessagesMax, earlyBytesMax } = this.#deps;
    this.#earlyBytes += message.bytes;
    if (this.#early.push(message) > earlyMessagesMax || this.#earlyBytes > earlyBytesMax)
      this.#client.close('policy', undefined, TOO_MANY);
  }

  #startTimer(): void {
    const { wheel, authMs } = this.#deps;
    // The time is that of the connection, but for a token after the welcome.
    if (this.wheelSlot !== NOT_WAITING) return;
    this.#deadlineTick = wheel.now + wheel.ticksOf(authMs);
    this.#schedule();
  }

  #schedule(): void {
    const { wheel } = this.#deps;
    wheel.schedule(this, this.#deadlineTick - wheel.now);
  }
}
