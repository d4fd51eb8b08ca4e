import { type Log, LogLimiter } from '@groupcast/service';

/** A log with a limit per kind of line. */
export interface LimitedLog {
  readonly log: Log;
  /** Logs the lines that are still held back, as a count. */
  close(): void;
}

/** Logs ten lines a second of each kind (message and `reason`), and the number of further ones. */
export function limitLog(target: Log): LimitedLog {
  const limiter = new LogLimiter({
    report: (kind, heldBack) => target.warn({ kind, heldBack }, 'Log lines of one kind were held back'),
  });
  const limited =
    (level: Exclude<keyof Log, 'isDebug'>) =>
    (fields: object, message: string): void => {
      if (limiter.take(kindOf(fields, message))) target[level](fields, message);
    };
  return {
    log: { debug: limited('debug'), info: limited('info'), warn: limited('warn'), error: limited('error') },
    close: () => limiter.close(),
  };
}

function kindOf(fields: object, message: string): string {
  return 'reason' in fields ? `${message}: ${fields.reason}` : message;
}
