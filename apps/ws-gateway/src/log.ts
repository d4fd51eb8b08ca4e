/** Where the gateway says what operators should know. Fields are small and safe: never text that a client sent. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

function silence(): void {}

/** The default: nothing is said. */
export const NO_LOG: Log = { debug: silence, info: silence, warn: silence, error: silence };
