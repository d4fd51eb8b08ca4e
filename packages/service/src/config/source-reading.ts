import { printable } from '../log/printable.ts';
import type { Parsed } from './option.ts';

/** What one source (flags, environment or file) says: the values that were accepted, and what is wrong with the others. */
export interface SourceReading {
  readonly values: Map<string, { readonly value: unknown; readonly source: string }>;
  readonly problems: string[];
}

/** Keeps a value that was accepted, or says what was wrong with it: `where` names its source and the raw value. */
export function take(
  reading: SourceReading,
  key: string,
  source: string,
  where: string,
  parsed: Parsed<unknown>,
): void {
  if (parsed.ok) reading.values.set(key, { value: parsed.value, source });
  else reading.problems.push(`${where}: must be ${parsed.allowed}.`);
}

/** The end of a sentence about an unknown name. */
export function advice(nearest: string | undefined, dashes: string): string {
  return nearest === undefined ? '--help lists what there is.' : `did you mean ${dashes}${nearest}?`;
}

/** Text from outside, as a problem shows it. */
export function quote(text: string): string {
  return `"${printable(text)}"`;
}
