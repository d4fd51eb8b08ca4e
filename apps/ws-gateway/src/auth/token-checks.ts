import { groupNameOf, limits } from '@groupcast/protocol';
import type { Log } from '@groupcast/service';
import type { Counters } from '../admin/gateway-stats.ts';
import type { Identity, VerifyToken } from './identity.ts';
import { TokenError } from './token-error.ts';

export interface TokenChecksOptions {
  readonly verifyToken: VerifyToken;
  /** Maximum tokens that are checked at a time. */
  readonly tokenChecksMax: number;
  readonly log: Log;
}

/** Receiver of the result of a check. It gets one of them, and never in the turn of the call. */
export interface TokenReceiver {
  tokenAccepted(identity: Identity): void;
  tokenRejected(error: TokenError): void;
}

/** A check that is not over. */
export interface TokenCheck {
  /** Drops the result. */
  cancel(): void;
}

const NOT_CHECKED = 'The token could not be checked. Try again later.';

/**
 * Checks the tokens of a worker, a bounded number at a time. The others wait in their order; each
 * connection has at most one.
 */
export class TokenChecks {
  readonly #options: TokenChecksOptions;
  readonly #counters: Pick<Counters, 'tokensRejected'>;
  readonly #waiting = new Set<Check>();
  #running = 0;

  constructor(options: TokenChecksOptions, counters: Pick<Counters, 'tokensRejected'>) {
    this.#options = options;
    this.#counters = counters;
  }

  /** Number of checks that are running or waiting. */
  get size(): number {
    return this.#running + this.#waiting.size;
  }

  check(token: string, receiver: TokenReceiver): TokenCheck {
    const check = new Check(token, receiver, this.#waiting);
    this.#waiting.add(check);
    this.#startNext();
    return check;
  }

  #startNext(): void {
    const [check] = this.#waiting;
    if (check === undefined || this.#running >= this.#options.tokenChecksMax) return;
    this.#waiting.delete(check);
    this.#running += 1;
    void this.#run(check).finally(() => {
      this.#running -= 1;
      this.#startNext();
    });
  }

  async #run(check: Check): Promise<void> {
    let result: Identity | TokenError;
    try {
      result = await this.#verify(check.token);
    } catch (error) {
      result = error instanceof TokenError ? error : this.#defect(error, check.token);
    }
    if (result instanceof TokenError) this.#counters.tokensRejected[result.code] += 1;
    check.settle(result);
  }

  async #verify(token: string): Promise<Identity> {
    const bytes = Buffer.byteLength(token);
    if (bytes === 0 || bytes > limits.TOKEN_BYTES_MAX) {
      const rule = `Send one of 1 to ${limits.TOKEN_BYTES_MAX} bytes.`;
      throw new TokenError('invalid', `The token has ${bytes} bytes. ${rule}`);
    }
    const identity = await this.#options.verifyToken(token);
    if (typeof identity.uid === 'string' && groupNameOf(identity.uid) !== undefined) return identity;
    throw new TokenError('invalid', 'The id of the user is no valid name.');
  }

  /** Reports a fault of the program that checks tokens. */
  #defect(error: unknown, token: string): TokenError {
    // The program may have put the token into its error.
    const text = token === '' ? String(error) : String(error).replaceAll(token, '(token)');
    this.#options.log.error({ error: text }, 'verifyToken failed without a TokenError');
    return new TokenError('unavailable', NOT_CHECKED);
  }
}

class Check implements TokenCheck {
  readonly token: string;
  readonly #waiting: Set<Check>;
  #receiver: TokenReceiver | undefined;

  constructor(token: string, receiver: TokenReceiver, waiting: Set<Check>) {
    this.token = token;
    this.#receiver = receiver;
    this.#waiting = waiting;
  }

  cancel(): void {
    this.#receiver = undefined;
    this.#waiting.delete(this);
  }

  settle(result: Identity | TokenError): void {
    if (result instanceof TokenError) this.#receiver?.tokenRejected(result);
    else this.#receiver?.tokenAccepted(result);
  }
}
