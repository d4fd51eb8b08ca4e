import { ERROR_CODES, type ErrorCode } from './codes.ts';

/** What a peer sent breaks the protocol, or could not be done. `code` is for programs, `message` for people. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string = ERROR_CODES[code].sentence, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
