/** What an option answers to a raw value: the typed value, or what would have been allowed. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly allowed: string };

/** One row of a service's config table. Make it with `textOption`, `integerOption` and their siblings. */
export interface Option<T> {
  /** `flag` takes no value on the command line, `list` may be repeated there, `value` takes one. */
  readonly kind: 'flag' | 'list' | 'value';
  readonly default: T;
  /** What stands for the value in `--help`, such as `ADDRESS`; empty for a flag. */
  readonly valueName: string;
  /** The unit of the value, such as `seconds`; empty where it has none. */
  readonly unit: string;
  /** What is allowed, as the end of a sentence: "an integer from 0 to 65535". */
  readonly allowed: string;
  /** One sentence for `--help` and the docs. */
  readonly describe: string;
  /** Reads what a flag (each time it was given) or an environment variable (one text) says. */
  parseTexts(texts: readonly string[]): Parsed<T>;
  /** Reads the value of a key of the config file. */
  parseJson(json: unknown): Parsed<T>;
}

/** The config table of a service: one option for each member of its config type, in the order of `--help`. */
export type Options<C extends object> = { readonly [K in keyof C]: Option<C[K]> };

/** What all options share. */
interface Row<T> {
  readonly default: T;
  readonly describe: string;
  /** A rule of one's own: returns the rest of the sentence "must be …" when the value is refused. */
  readonly check?: (value: T) => string | undefined;
}

interface TextRow extends Row<string> {
  readonly valueName: string;
}

interface NumberRow extends Row<number> {
  readonly min: number;
  readonly max: number;
  readonly unit: string;
}

interface ListRow extends Row<readonly string[]> {
  readonly valueName: string;
}

interface ChoiceRow<T extends string> extends Row<NoInfer<T>> {
  readonly choices: readonly T[];
}

// Fifteen digits are exact in a double; exponents and hexadecimals are more often slips than wishes.
const INTEGER_TEXT = /^-?\d{1,15}$/;
const NUMBER_TEXT = /^-?\d{1,15}(\.\d{1,9})?$/;
const FLAG_TEXTS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** A text, taken as it is: an address, a path, a name. */
export function textOption(row: TextRow): Option<string> {
  const allowed = 'text';
  return {
    ...describeRow(row, 'value', allowed, row.valueName, ''),
    parseTexts: (texts) => checked(row, texts.at(-1), allowed),
    parseJson: (json) => checked(row, typeof json === 'string' ? json : undefined, allowed),
  };
}

/** An address to listen on. An empty one would be all of them, which is said as 0.0.0.0 or ::. */
export function addressOption(row: Omit<TextRow, 'valueName' | 'check'>): Option<string> {
  const check = (address: string): string | undefined =>
    address === '' ? 'an address, such as 127.0.0.1, or 0.0.0.0 for all' : undefined;
  return textOption({ ...row, valueName: 'ADDRESS', check });
}

/** A whole number within `min` and `max`, both included. */
export function integerOption(row: NumberRow): Option<number> {
  return numeric(row, 'an integer', INTEGER_TEXT, Number.isSafeInteger);
}

/** A number within `min` and `max`, both included, with or without a fraction. */
export function numberOption(row: NumberRow): Option<number> {
  return numeric(row, 'a number', NUMBER_TEXT, Number.isFinite);
}

/** Yes or no: `--name` and `--no-name` on the command line, `true`, `1`, `false` or `0` in the environment. */
export function flagOption(row: Row<boolean>): Option<boolean> {
  const allowed = 'true or false';
  return {
    ...describeRow(row, 'flag', allowed, '', ''),
    parseTexts: (texts) => checked(row, FLAG_TEXTS.get(texts.at(-1) ?? ''), allowed),
    parseJson: (json) => checked(row, typeof json === 'boolean' ? json : undefined, allowed),
  };
}

/** Several texts: separated by commas or by repeating the flag; an array of texts in the file, or one text. */
export function listOption(row: ListRow): Option<readonly string[]> {
  const allowed = 'a list of texts';
  return {
    ...describeRow(row, 'list', allowed, row.valueName, ''),
    parseTexts: (texts) => checked(row, listItems(texts), allowed),
    parseJson: (json) => {
      const list = typeof json === 'string' ? [json] : json;
      const isTexts = Array.isArray(list) && list.every((item) => typeof item === 'string');
      return checked(row, isTexts ? listItems(list) : undefined, allowed);
    },
  };
}

/** One of a few words. */
export function choiceOption<const T extends string>(row: ChoiceRow<T>): Option<T> {
  const allowed = `one of ${row.choices.join(', ')}`;
  const find = (value: unknown): T | undefined => row.choices.find((choice) => choice === value);
  return {
    ...describeRow<T>(row, 'value', allowed, row.choices.join('|'), ''),
    parseTexts: (texts) => checked<T>(row, find(texts.at(-1)), allowed),
    parseJson: (json) => checked<T>(row, find(json), allowed),
  };
}

/** Writes a value as `--help`, the docs and `check-config` show it. */
export function formatValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(',');
  return value === '' ? '(none)' : String(value);
}

function numeric(
  row: NumberRow,
  noun: string,
  shape: RegExp,
  fits: (value: number) => boolean,
): Option<number> {
  const allowed = `${noun} from ${row.min} to ${row.max}`;
  const within = (value: number): number | undefined =>
    fits(value) && value >= row.min && value <= row.max ? value : undefined;
  return {
    ...describeRow(row, 'value', allowed, 'NUMBER', row.unit),
    parseTexts: (texts) => {
      const text = texts.at(-1) ?? '';
      return checked(row, shape.test(text) ? within(Number(text)) : undefined, allowed);
    },
    parseJson: (json) => checked(row, typeof json === 'number' ? within(json) : undefined, allowed),
  };
}

function describeRow<T>(
  row: Row<T>,
  kind: Option<T>['kind'],
  allowed: string,
  valueName: string,
  unit: string,
): Omit<Option<T>, 'parseTexts' | 'parseJson'> {
  return { kind, default: row.default, describe: row.describe, allowed, valueName, unit };
}

/** `value` is undefined where the raw value was not of the option's kind. */
function checked<T>(row: Row<T>, value: T | undefined, allowed: string): Parsed<T> {
  if (value === undefined) return { ok: false, allowed };
  const refusal = row.check?.(value);
  return refusal === undefined ? { ok: true, value } : { ok: false, allowed: refusal };
}

function listItems(texts: readonly string[]): readonly string[] {
  const items = texts.flatMap((text) => text.split(',')).map((item) => item.trim());
  return Object.freeze(items.filter((item) => item !== ''));
}
