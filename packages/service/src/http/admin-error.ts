/** Reasons why a request to an admin port failed. */
export type AdminErrorCode = 'unreachable' | 'timeout' | 'bad_status' | 'bad_answer';

/**
 * A failed request to the admin port of a service. The message has the address, and says what to
 * do.
 */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
