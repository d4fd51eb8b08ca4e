/**
 * Log of an app's core, for operators; `Logger` implements it. Fields are small and safe: never
 * text of a client.
 */
export interface Log {
  /**
   * Whether debug lines are written. Without it they are not: lines about each client, which cost
   * time, are then never made.
   */
  readonly isDebug?: boolean;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

function silence(): void {}

/** Drops all lines: the default of an embedded core. */
export const SILENT_LOG: Log = { debug: silence, info: silence, warn: silence, error: silence };
