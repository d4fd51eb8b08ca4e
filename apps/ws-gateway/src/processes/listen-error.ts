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
