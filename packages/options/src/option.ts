/**
 * One row of a table of options: the only place that says what the option is. Builders such as
 * `integerOption` make it.
 */
export interface Option<T> {
  readonly kind: 'choice' | 'flag' | 'list' | 'number' | 'text' | 'value';
  readonly default: T;
  /** Unit of a number, such as `seconds`; '' for the other kinds. */
  readonly unit: string;
  /** Valid values, as the end of a sentence: "an integer from 0 to 65535". */
  readonly allowed: string;
  /** Placeholder of the value in `--help`, such as `ADDRESS`. */
  readonly valueName: string;
  /** Help of an option that operators set; '' for one that only programs set. */
  readonly describe: string;
  /** Range of a number. */
  readonly range?: NumberRange & { readonly isInteger: boolean };
  /**
   * Option of the library that gets the value, such as `queues.itemsMax`. Default: the one of the
   * same name.
   */
  readonly to?: string;
  /** Factor from this unit to that of the library's option: 1,000 from seconds to milliseconds. */
  readonly toFactor?: number;
  /**
   * Returns what would be valid, as the end of the sentence "must be …"; `undefined` for a valid
   * value.
   */
  fault(value: unknown): string | undefined;
}

/** Smallest and largest number that is valid. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

/** Options by name, in the order of `--help`. */
// biome-ignore lint/suspicious/noExplicitAny: a table holds options of every type.
export type OptionTable = Readonly<Record<string, Option<any>>>;

/** The values of a table's options: what a library runs with, or the configuration of a program. */
export type OptionsOf<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never;
};

interface Row<T> {
  readonly default: T;
  readonly describe?: string;
}

interface CheckedRow<T> extends Row<T> {
  /**
   * Returns what would be valid, as the end of the sentence "must be …"; `undefined` for a valid
   * value.
   */
  readonly check?: (value: T) => string | undefined;
}

interface TextRow extends CheckedRow<string> {
  readonly valueName?: string;
}

interface ListRow extends CheckedRow<readonly string[]> {
  readonly valueName: string;
}

interface NumberRow extends Row<number>, NumberRange {
  readonly unit: string;
}

interface EndlessRow extends NumberRow {
  /** Whether Infinity is valid as well, and means never. */
  readonly isEndless?: boolean;
}

interface ChoiceRow<T extends string> extends Row<NoInfer<T>> {
  readonly choices: readonly T[];
}

/** A string: an address, a path, a name. */
export function textOption(row: TextRow): Option<string> {
  const { valueName = 'TEXT', check } = row;
  const allowed = 'a string';
  const fault = (value: unknown): string | undefined =>
    typeof value === 'string' ? check?.(value) : allowed;
  return { ...base(row, 'text', allowed), valueName, fault };
}

/** A whole number from `min` to `max`. */
export function integerOption(row: EndlessRow): Option<number> {
  return numeric(row, true);
}

/** A number from `min` to `max`, which may have a fraction. */
export function numberOption(row: NumberRow): Option<number> {
  return numeric(row, false);
}

/** A boolean: `--name` and `--no-name` on the command line. */
export function flagOption(row: Row<boolean>): Option<boolean> {
  const allowed = 'true or false';
  const fault = (value: unknown): string | undefined => (typeof value === 'boolean' ? undefined : allowed);
  return { ...base(row, 'flag', allowed), fault };
}

/** A list of strings: separated by commas, or by repeating the flag. */
export function listOption(row: ListRow): Option<readonly string[]> {
  const { valueName, check } = row;
  const allowed = 'a list of strings';
  const fault = (value: unknown): string | undefined => (isTexts(value) ? check?.(value) : allowed);
  return { ...base(row, 'list', allowed), valueName, fault };
}

/** One of a few words. */
export function choiceOption<const T extends string>(row: ChoiceRow<T>): Option<T> {
  const allowed = `one of ${row.choices.join(', ')}`;
  const fault = (value: unknown): string | undefined =>
    row.choices.some((choice) => choice === value) ? undefined : allowed;
  return { ...base<T>(row, 'choice', allowed), valueName: row.choices.join('|'), fault };
}

/**
 * An object or a function that only a program can give. Without `check`, any value of the default's
 * type is valid.
 */
export function valueOption<T>(row: CheckedRow<T>): Option<T> {
  const { default: byDefault, check } = row;
  const allowed = typeof byDefault === 'function' ? 'a function' : 'an object';
  const fault = (value: unknown): string | undefined => {
    if (byDefault !== undefined && (value === null || typeof value !== typeof byDefault)) return allowed;
    // It has the type of the default, as far as that can be seen; `check` sees the rest.
    return check?.(value as T);
  };
  return { ...base(row, 'value', allowed), fault };
}

/** Returns the option with a narrower or wider range. */
export function withRange(option: Option<number>, range: Partial<NumberRange>): Option<number> {
  const { isInteger, ...was } = rangeOf(option);
  const row = { ...was, ...range, unit: option.unit, default: option.default, describe: option.describe };
  return isInteger ? integerOption(row) : numberOption(row);
}

/**
 * Returns an option in seconds for one in milliseconds: with its default, and within `range`, in
 * seconds.
 */
export function inSeconds(option: Option<number>, range: NumberRange): Option<number> {
  const { default: milliseconds, describe } = option;
  const seconds = numberOption({ ...range, default: milliseconds / 1_000, unit: 'seconds', describe });
  return { ...seconds, toFactor: 1_000 };
}

/** Returns the range of a numeric option. */
export function rangeOf({ range }: Option<number>): NumberRange & { readonly isInteger: boolean } {
  if (range === undefined) throw new Error('A numeric option has a range.');
  return range;
}

/** Returns the defaults of a table. */
export function defaultsOf<T extends OptionTable>(table: T): OptionsOf<T> {
  const entries = Object.entries(table).map(([name, option]) => [name, option.default]);
  return Object.fromEntries(entries) as OptionsOf<T>;
}

function numeric({ isEndless = false, min, max, ...row }: EndlessRow, isInteger: boolean): Option<number> {
  const endless = isEndless ? ', or Infinity' : '';
  const allowed = `${isInteger ? 'an integer' : 'a number'} from ${min} to ${max}${endless}`;
  const isNumber = isInteger ? Number.isSafeInteger : Number.isFinite;
  const isWithin = (value: unknown): boolean =>
    isNumber(value) && Number(value) >= min && Number(value) <= max;
  const fault = (value: unknown): string | undefined =>
    isWithin(value) || (isEndless && value === Number.POSITIVE_INFINITY) ? undefined : allowed;
  const range = { min, max, isInteger };
  return { ...base(row, 'number', allowed), unit: row.unit, valueName: 'NUMBER', range, fault };
}

function base<T>(
  { default: byDefault, describe = '' }: Row<T>,
  kind: Option<T>['kind'],
  allowed: string,
): Omit<Option<T>, 'fault'> {
  return { kind, default: byDefault, unit: '', allowed, valueName: '', describe };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
