import { type Option, rangeOf } from '@groupcast/options';

/** The options of a program, one for each member of its config type, in the order of `--help`. */
export type ConfigTable<C extends object> = { readonly [K in keyof C]: Option<C[K]> };

// Fifteen digits are exact in a double; exponents and hexadecimals are more often typing errors
// than intended.
const INTEGER_TEXT = /^-?\d{1,15}$/;
const NUMBER_TEXT = /^-?\d{1,15}(\.\d{1,9})?$/;
const FLAG_TEXTS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/**
 * Reads the texts of a flag, one for each time that it was given, or the one of an environment
 * variable. Returns `undefined` for a text that the kind of the option does not have.
 */
export function valueOfTexts(option: Option<unknown>, texts: readonly string[]): unknown {
  const text = texts.at(-1) ?? '';
  switch (option.kind) {
    case 'flag':
      return FLAG_TEXTS.get(text);
    case 'list':
      return listItems(texts);
    case 'number': {
      const { isInteger } = rangeOf(option as Option<number>);
      return (isInteger ? INTEGER_TEXT : NUMBER_TEXT).test(text) ? Number(text) : undefined;
    }
    default:
      return text;
  }
}

/** Reads the value of a key of the config file: a list may be written as one string. */
export function valueOfJson(option: Option<unknown>, json: unknown): unknown {
  if (option.kind !== 'list') return json;
  const list = typeof json === 'string' ? [json] : json;
  return Array.isArray(list) && list.every((item) => typeof item === 'string') ? listItems(list) : undefined;
}

/** Formats a value as `--help`, the docs and `check-config` show it. */
export function formatValue(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(',');
  return value === '' ? '(none)' : String(value);
}

function listItems(texts: readonly string[]): readonly string[] {
  const items = texts.flatMap((text) => text.split(',')).map((item) => item.trim());
  return Object.freeze(items.filter((item) => item !== ''));
}
