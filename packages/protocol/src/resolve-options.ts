import { OptionError } from './option-error.ts';

/** Values that a numeric option may have: a whole number from `min` to `max`, both included. */
export interface OptionRange {
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  /** Whether it may have a fraction. */
  readonly isFractional?: true;
  /** Whether it may be Infinity as well, which means never. */
  readonly isEndless?: true;
}

/** One range for each numeric option of `T`: one that is forgotten does not compile. */
export type OptionRanges<T> = {
  readonly [K in keyof T as T[K] extends number ? K : never]: OptionRange;
};

/** The longest that a timer of Node.js and of browsers can wait. With a longer one it does not wait at all. */
export const TIMER_MS_MAX = 2_147_483_647;

/** A bound in bytes that no machine reaches: 1 TiB. */
export const OPTION_BYTES_MAX: number = 2 ** 40;

const SHOWN_CHARACTERS_MAX = 40;

/**
 * Fills in the defaults of a library's options. An option that is undefined counts as not given.
 *
 * `owner` is the function or class that takes them, and `prefix` is `link.` for those of its option `link`. Throws OptionError
 * `bad_option` for a name that `defaults` does not have, for a value of another type than its default, and for a number out of range.
 */
export function resolveOptions<T extends object>(
  owner: string,
  defaults: T,
  ranges: OptionRanges<T>,
  given: Partial<T>,
  prefix = '',
): T {
  const resolved: T = { ...defaults };
  const rangeOf: ReadonlyMap<string, OptionRange> = new Map(Object.entries<OptionRange>(ranges));
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const name = prefix + key;
    if (!isKeyOf(defaults, key)) throw new OptionError(owner, name, unknownAmong(Object.keys(defaults)));
    const range = rangeOf.get(key);
    if (range === undefined) checkType(owner, name, defaults[key], value);
    else checkNumber(owner, name, range, value);
    // It has the type of the default, as far as can be seen.
    resolved[key] = value as T[typeof key];
  }
  return resolved;
}

/** Throws OptionError `bad_option` for what is no number, and for a number out of range. */
export function checkNumber(owner: string, name: string, range: OptionRange, value: unknown): void {
  const { min, max, unit, isFractional, isEndless } = range;
  const isNumber = isFractional ? Number.isFinite(value) : Number.isSafeInteger(value);
  if (isNumber && Number(value) >= min && Number(value) <= max) return;
  if (isEndless && value === Number.POSITIVE_INFINITY) return;
  const noun = isFractional ? 'a number' : 'an integer';
  const expected = `${noun} from ${min} to ${max} (${unit})${isEndless ? ', or Infinity' : ''}`;
  throw new OptionError(owner, name, `is ${shown(value)}. Give ${expected}`);
}

/** An option in bytes, as it is known to whoever sets it. */
interface NamedBytes {
  readonly name: string;
  readonly bytes: number;
}

/**
 * Returns what `part` may have within `whole`, which bounds it as well: where it has more, its default follows `whole`, and a
 * value that was given throws OptionError `bad_option`.
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

/** Looks no further than the type: an option whose default is undefined, and what an object holds, is checked where it is used. */
function checkType(owner: string, name: string, byDefault: unknown, value: unknown): void {
  const isArray = Array.isArray(byDefault);
  const type = isArray ? 'array' : typeof byDefault;
  const isRight = isArray ? Array.isArray(value) : value !== null && typeof value === type;
  if (byDefault === undefined || isRight) return;
  throw new OptionError(owner, name, `is ${shown(value)}. Give ${/^[ao]/.test(type) ? 'an' : 'a'} ${type}`);
}

function isKeyOf<T extends object>(object: T, key: string): key is string & keyof T {
  return Object.hasOwn(object, key);
}

function unknownAmong(names: readonly string[]): string {
  return `is not known. The options are ${names.join(', ')}`;
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return value === null ? 'null' : `of type ${typeof value}`;
  return JSON.stringify(value.slice(0, SHOWN_CHARACTERS_MAX));
}
