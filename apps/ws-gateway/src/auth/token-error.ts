/** Why a token is rejected. `unavailable`: the keys that check it cannot be loaded now. */
export type TokenErrorCode = 'invalid' | 'expired' | 'unavailable';

/** Rejects a token. The message is for the client and the log, and has no part of the token. */
export class TokenError extends Error {
  readonly code: TokenErrorCode;

  constructor(code: TokenErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TokenError';
    this.code = code;
  }
}
