/** Reason for a HubError. Match on the code; the message says what to do. */
export type HubErrorCode =
  | 'secret_required'
  | 'already_started'
  | 'socket_in_use'
  | 'unix_socket'
  | 'restart_required'
  | 'namespaces';

/** An operation that a hub rejects. Errors of the port are Node's own. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
