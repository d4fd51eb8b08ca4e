/** Where the core of an app says what operators should know; `Logger` fits. Fields are small and safe: never text that a client sent. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

function silence(): void {}

/** Says nothing: the default of a core that is embedded. */
export const SILENT_LOG: Log = { debug: silence, info: silence, warn: silence, error: silence };
