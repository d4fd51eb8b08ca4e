import { CLOSE_CODES, type CloseReason, limits } from '@groupcast/protocol';
import { CommandError, type CommandId } from '@groupcast/protocol/schema';
import type { Identity } from '../auth/identity.ts';
import type { TokenCheck, TokenChecks, TokenReceiver } from '../auth/token-checks.ts';
import type { TokenError, TokenErrorCode } from '../auth/token-error.ts';
import type { ClientProtocol } from '../client-protocols/client-protocol.ts';
import { NOT_WAITING, type Timed, type TimingWheel } from '../timing-wheel.ts';

const NO_TOKEN_YET = 'This gateway needs a token. Send the command auth first.';
const NOT_CHECKED = 'The token could not be checked in time. Connect again.';
const TOO_MANY = 'Too many messages while the token was checked. Wait for the result.';

const CLOSE_REASONS: Readonly<Record<TokenErrorCode, CloseReason>> = {
  invalid: 'unauthorized',
  expired: 'token_expired',
  unavailable: 'internal_error',
};

/** The part of a connection that its authentication uses. */
interface AuthenticatingClient {
  readonly protocol: ClientProtocol;
  receive(text: string, bytes: number): void;
  /** Opens the connection. `id` is that of the command `auth`. */
  open(session: string | undefined, identity: Identity | undefined, id: CommandId | undefined): void;
  close(reason: CloseReason, reconnectAfterMs?: number, text?: string): void;
}

export interface AuthenticationDeps {
  readonly tokenChecks: TokenChecks;
  readonly wheel: TimingWheel;
  /** Longest time until the token is accepted, in milliseconds. */
  readonly authMs: number;
  /** Maximum messages that wait for the check of a token, and their bytes. */
  readonly earlyMessagesMax: number;
  readonly earlyBytesMax: number;
}

/** A message that waits for the check of a token. */
interface EarlyMessage {
  readonly text: string;
  readonly bytes: number;
}

/**
 * The way of a connection to its identity.
 *
 *     waiting (for a token) -> checking -> over
 *
 * Before a token every command but `auth` is rejected. Commands that arrive while a token is
 * checked wait for the result.
 */
export class Authentication implements TokenReceiver, Timed {
  wheelSlot: number = NOT_WAITING;
  readonly #client: AuthenticatingClient;
  /** Secret of the client, which the welcome has. */
  readonly #session: string | undefined;
  readonly #deps: AuthenticationDeps;
  readonly #deadlineTick: number;
  #early: EarlyMessage[] = [];
  #earlyBytes = 0;
  /** Undefined until there is a token. */
  #check: TokenCheck | undefined;
  /** Of the command `auth`. */
  #id: CommandId | undefined;

  constructor(client: AuthenticatingClient, session: string | undefined, deps: AuthenticationDeps) {
    const { wheel, authMs } = deps;
    this.#client = client;
    this.#session = session;
    this.#deps = deps;
    this.#deadlineTick = wheel.now + wheel.ticksOf(authMs);
    this.#schedule();
  }

  /** Checks the token of the handshake, or that of the command with this id. */
  check(token: string, id?: CommandId): void {
    this.#id = id;
    this.#check = this.#deps.tokenChecks.check(token, this);
  }

  /** Receives a message before the welcome. Throws CommandError when the command is rejected. */
  receive(text: string, bytes: number): void {
    if (this.#check !== undefined) {
      this.#hold({ text, bytes });
      return;
    }
    const command = this.#client.protocol.parseCommand(text);
    if (command.cmd !== 'auth') throw new CommandError('unauthorized', NO_TOKEN_YET, command.id);
    this.check(command.token, command.id);
  }

  tokenAccepted(identity: Identity): void {
    this.end();
    const client = this.#client;
    client.open(this.#session, identity, this.#id);
    for (const { text, bytes } of this.#early) client.receive(text, bytes);
  }

  tokenRejected({ code, message }: TokenError): void {
    const reason = CLOSE_REASONS[code];
    const isShort = Buffer.byteLength(message) <= limits.CLOSE_REASON_BYTES_MAX;
    this.#client.close(reason, undefined, isShort ? message : CLOSE_CODES[reason].reason);
  }

  expired(): void {
    if (this.#deps.wheel.now < this.#deadlineTick) this.#schedule();
    else if (this.#check === undefined) this.#client.close('auth_timeout');
    else this.#client.close('internal_error', undefined, NOT_CHECKED);
  }

  /** Ends it in any state. */
  end(): void {
    this.#check?.cancel();
    this.#deps.wheel.cancel(this);
  }

  #hold(message: EarlyMessage): void {
    const { earlyMessagesMax, earlyBytesMax } = this.#deps;
    this.#earlyBytes += message.bytes;
    if (this.#early.push(message) > earlyMessagesMax || this.#earlyBytes > earlyBytesMax)
      this.#client.close('policy', undefined, TOO_MANY);
  }

  #schedule(): void {
    const { wheel } = this.#deps;
    wheel.schedule(this, this.#deadlineTick - wheel.now);
  }
}
