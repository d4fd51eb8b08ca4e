/** `fault`: something does not work. `warning`: it works, and should be changed. */
type FindingState = 'ok' | 'skipped' | 'warning' | 'fault';

/** One line of the report of `groupcast doctor`. */
export interface Finding {
  readonly state: FindingState;
  /** Names what was checked: `ports`. */
  readonly check: string;
  /** Says what was found and, if it is a fault or a warning, what to do. */
  readonly text: string;
}

/** Returns the reason of an error for a sentence, without a full stop. */
export function reasonOf(error: unknown): string {
  // Node joins the failures of several addresses, without a text.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join(', ');
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '');
}
