import type { LogFormat, Logger } from '../log/logger.ts';
import type { CommandContext } from './program.ts';
import { type StartRow, startTable } from './start-table.ts';

/** Output of a service that has started. */
export interface StartOutput extends Pick<CommandContext<object>, 'print'> {
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly logFormat: LogFormat;
}

/**
 * Announces that services accept connections: with the start table on stdout, or with a log line
 * for each where the operator wants JSON.
 */
export function announceStart(rows: readonly StartRow[], { print, log, logFormat }: StartOutput): void {
  if (logFormat !== 'json') {
    print(startTable(rows));
    return;
  }
  for (const { worker, listen, processes, problem } of rows) {
    const fields = { service: worker, listen, processes, status: problem?.status ?? 'OK' };
    if (problem === undefined) log.info(fields, 'started');
    else log.warn(fields, `started, but cannot serve yet: ${problem.sentence}`);
  }
}
