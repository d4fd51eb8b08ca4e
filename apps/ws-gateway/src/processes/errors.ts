/** A worker could not listen at all: an address that is taken, or may not be used. */
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
  /** The new workers cannot have the address. */
  | 'listen_failed'
  /** The new workers die again and again. */
  | 'workers_die'
  | 'too_slow'
  /** The new workers do not reach the hub, though the old ones have it. */
  | 'hub_unreachable'
  /** The gateway ends. */
  | 'draining';

/**
 * A reload was not done, and the workers that served before it go on. The message says why, and
 * what to do.
 */
export class ReloadError extends Error {
  override readonly name = 'ReloadError';
  readonly code: ReloadErrorCode;

  constructor(code: ReloadErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
