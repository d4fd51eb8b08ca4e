/** Why a hub does not start: match on the code; the message says what to do. */
export type HubErrorCode = 'secret_required' | 'already_started' | 'socket_in_use';

/** The hub was asked for what it does not do. Errors of the socket come as Node makes them. */
export class HubError extends Error {
  override readonly name = 'HubError';
  readonly code: HubErrorCode;

  constructor(code: HubErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
