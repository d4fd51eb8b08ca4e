import { ERROR_CODES, type ErrorCode } from './codes.ts';

/**
 * Error of data that breaks the protocol, or of a request that failed. `code` is for programs,
 * `message` for people.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = ERROR_CODES[code].sentence, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
