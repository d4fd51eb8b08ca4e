/** Why a run cannot go on: `unreachable`, the server; `refused`, what it said; `setup`, this machine or the settings. */
export type LoadtestErrorCode = 'unreachable' | 'refused' | 'setup';

/** A run that ended without a result. The message is a sentence that says what to do. */
export class LoadtestError extends Error {
  readonly code: LoadtestErrorCode;

  constructor(code: LoadtestErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LoadtestError';
    this.code = code;
  }
}
