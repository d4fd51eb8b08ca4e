/**
 * Cause of a failed run: `unreachable`, the server; `refused`, its answer; `setup`, this machine or
 * the settings.
 */
export type LoadtestErrorCode = 'unreachable' | 'refused' | 'setup';

/** A run that ended without a result. The message is a sentence with the remedy. */
export class LoadtestError extends Error {
  readonly code: LoadtestErrorCode;

  constructor(code: LoadtestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LoadtestError';
    this.code = code;
  }
}
