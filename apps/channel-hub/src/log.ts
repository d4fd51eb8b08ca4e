/** Where the hub says what happened. pino fits; the default says nothing. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

function nothing(): void {}

export const SILENT_LOG: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
