/** A worker could not listen: its address is in use or not permitted. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  /** Node's error code: EADDRINUSE, EACCES, EADDRNOTAVAIL, … */
  readonly code: string;
  readonly syscall = 'listen';

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export type ReloadErrorCode =
  /** The new workers cannot listen on the address. */
  | 'listen_failed'
  /** The new workers die repeatedly. */
  | 'workers_die'
  | 'too_slow'
  /** The new workers do not reach the hub, though the old ones are connected to it. */
  | 'hub_unreachable'
  /** The gateway is ending. */
  | 'draining';

/** A reload failed, and the old workers continue. The message says why, and what to do. */
export class ReloadError extends Error {
  override readonly name = 'ReloadError';
  readonly code: ReloadErrorCode;

  constructor(code: ReloadErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
