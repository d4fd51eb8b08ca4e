import { OptionError } from '@groupcast/protocol';
import type { Option, OptionsOf, OptionTable } from './option.ts';

/**
 * The longest that a timer of Node.js and of browsers can wait, in milliseconds. A longer one fires
 * at once.
 */
export const TIMER_MS_MAX = 2_147_483_647;

/** A limit in bytes that no machine reaches: 1 TiB. */
export const OPTION_BYTES_MAX: number = 2 ** 40;

const SHOWN_CHARACTERS_MAX = 40;

/**
 * Returns the options of a library: those given, and the defaults of the others. `undefined` counts
 * as not given.
 *
 * `owner` is the function or class that the options are for, and `prefix` is `link.` for those of
 * its option `link`.
 *
 * @throws OptionError `bad_option` for a name that `table` does not have, and for an invalid value.
 */
export function resolveOptions<T extends OptionTable>(
  owner: string,
  table: T,
  given: Partial<OptionsOf<T>>,
  prefix = '',
): OptionsOf<T> {
  const resolved: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(table)) resolved[name] = option.default;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (option === undefined) {
      const known = `is not known. The options are ${Object.keys(table).join(', ')}`;
      throw new OptionError(owner, prefix + name, known);
    }
    checkOption(owner, prefix + name, option, value);
    resolved[name] = value;
  }
  // Each value is a default of the table, or the option has checked it.
  return resolved as OptionsOf<T>;
}

/** Checks one value. Throws OptionError `bad_option` when it is invalid. */
export function checkOption(owner: string, name: string, option: Option<unknown>, value: unknown): void {
  const allowed = option.fault(value);
  if (allowed === undefined) return;
  const unit = option.unit === '' ? '' : ` (${option.unit})`;
  throw new OptionError(owner, name, `is ${shown(value)}. Give ${allowed}${unit}`);
}

/** An option in bytes, by the name that the caller knows it by. */
interface NamedBytes {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Returns the bytes of `part`, which must not exceed those of `whole`. A default that does is
 * lowered to `whole`; a value that was given throws OptionError `bad_option`.
 */
export function bytesWithin(
  owner: string,
  part: NamedBytes & { readonly isGiven: boolean },
  whole: NamedBytes,
): number {
  if (part.bytes <= whole.bytes) return part.bytes;
  if (!part.isGiven) return whole.bytes;
  const problem = `is ${part.bytes}, which is above ${whole.name}. Give at most ${whole.bytes} (bytes)`;
  throw new OptionError(owner, part.name, problem);
}

/** Values of a list that an error shows. */
const SHOWN_VALUES_MAX = 8;

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.slice(0, SHOWN_VALUES_MAX).map(shown).join(', ')}]`;
  if (typeof value !== 'string') return value === null ? 'null' : `of type ${typeof value}`;
  return JSON.stringify(value.slice(0, SHOWN_CHARACTERS_MAX));
}

/** Returns an option that is an object, or `undefined`. Throws OptionError for any other value. */
export function objectOption<T extends object>(
  owner: string,
  name: string,
  value: T | undefined,
): T | undefined {
  if (value === undefined || (typeof value === 'object' && value !== null)) return value;
  throw new OptionError(owner, name, 'must be an object');
}
