/** Why an admin port gave no answer that can be used. */
export type AdminErrorCode = 'unreachable' | 'timeout' | 'bad_status' | 'bad_answer';

/** Asking the admin port of a service failed. The message says which address, and what to do. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code: AdminErrorCode;

  constructor(code: AdminErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
