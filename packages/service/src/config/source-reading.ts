import type { Option } from '@groupcast/options';
import { printable } from '../log/printable.ts';

/** Valid values of one source (flags, environment or file), and the problems of the others. */
export interface SourceReading {
  readonly values: Map<string, { readonly value: unknown; readonly source: string }>;
  readonly problems: string[];
}

/**
 * Keeps a valid value, or adds the problem of an invalid one. `where` names the source and the raw
 * value.
 */
export function take(
  reading: SourceReading,
  key: string,
  option: Option<unknown>,
  value: unknown,
  source: string,
  where: string,
): void {
  const allowed = option.fault(value);
  if (allowed === undefined) reading.values.set(key, { value, source });
  else reading.problems.push(`${where}: must be ${allowed}.`);
}

/** Returns the end of a sentence about an unknown name. */
export function advice(nearest: string | undefined, dashes: string): string {
  return nearest === undefined ? '--help lists the options.' : `did you mean ${dashes}${nearest}?`;
}

/** Quotes text of a user for the sentence of a problem. */
export function quote(text: string): string {
  return `"${printable(text)}"`;
}
