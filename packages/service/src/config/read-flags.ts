import { parseArgs } from 'node:util';
import type { Option } from '@groupcast/options';
import { flagName, nearestName } from './option-names.ts';
import { valueOfTexts } from './option-values.ts';
import { advice, quote, type SourceReading, take } from './source-reading.ts';

/** Name of the flag and of the variable (`<prefix>_CONFIG`) that name the config file. */
export const CONFIG_KEY = 'config';

interface FlagReading extends SourceReading {
  /** Value of `--config`. */
  readonly configPath: string | undefined;
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/** Reads the flags of a command line: `--name VALUE`, `--name=VALUE`, `--flag`, `--no-flag`. */
export function readFlags(table: ReadonlyMap<string, Option<unknown>>, argv: readonly string[]): FlagReading {
  const keys = new Map([...table.keys()].map((key) => [flagName(key), key]));
  // Flag name to whether it is a boolean flag, without a value.
  const flags = new Map([...keys].map(([flag, key]) => [flag, table.get(key)?.kind === 'flag']));
  flags.set(CONFIG_KEY, false);

  const reading: SourceReading = { values: new Map(), problems: [] };
  const texts = collectTexts(flags, argv, reading.problems);
  for (const [flag, given] of texts) {
    const key = keys.get(flag) ?? '';
    const option = table.get(key);
    if (option === undefined) continue;
    const where = `--${flag} ${quote(given.join(','))}`;
    take(reading, key, option, valueOfTexts(option, given), `flag --${flag}`, where);
  }
  return { ...reading, configPath: texts.get(CONFIG_KEY)?.at(-1) };
}

/** Returns the values of each known flag, in order. */
function collectTexts(
  flags: ReadonlyMap<string, boolean>,
  argv: readonly string[],
  problems: string[],
): ReadonlyMap<string, readonly string[]> {
  const options = Object.fromEntries(
    [...flags].map(([flag, isFlag]) => [flag, { type: isFlag ? ('boolean' as const) : ('string' as const) }]),
  );
  // Strict parsing would stop at the first problem, and all of them are wanted.
  const { tokens } = parseArgs({
    args: [...argv],
    options,
    strict: false,
    tokens: true,
    allowPositionals: true,
  });

  const texts = new Map<string, string[]>();
  let afterUnknown = false;
  for (const token of tokens) {
    // The argument after an unknown option is most likely its value, and no second problem.
    if (token.kind === 'positional' && !afterUnknown) {
      problems.push(`Unexpected argument ${quote(token.value)}: --help shows how options are written.`);
    }
    afterUnknown = false;
    if (token.kind !== 'option') continue;
    const meaning = readToken(flags, token);
    afterUnknown = meaning.unknown === true;
    if (meaning.problem !== undefined) problems.push(meaning.problem);
    else texts.set(meaning.flag, [...(texts.get(meaning.flag) ?? []), meaning.text]);
  }
  return texts;
}

type TokenMeaning =
  | { readonly flag: string; readonly text: string; readonly problem?: never; readonly unknown?: never }
  | { readonly problem: string; readonly unknown?: boolean };

function readToken(flags: ReadonlyMap<string, boolean>, token: OptionToken): TokenMeaning {
  const { name, rawName, value } = token;
  const positive = name.startsWith('no-') && !flags.has(name) ? name.slice('no-'.length) : name;
  const isFlag = flags.get(positive);
  if (isFlag === undefined || (positive !== name && !isFlag)) {
    const known = [...flags].flatMap(([flag, negatable]) => (negatable ? [flag, `no-${flag}`] : [flag]));
    return {
      problem: `Unknown option ${quote(rawName)}: ${advice(nearestName(name, known), '--')}`,
      unknown: true,
    };
  }
  if (isFlag) {
    if (value === undefined) return { flag: positive, text: String(positive === name) };
    return { problem: `${rawName} takes no value: write --${positive} or --no-${positive}.` };
  }
  // `--host --port 1` is a forgotten value, not a host called "--port"; Node's strict parsing
  // rejects it as well.
  if (value === undefined || (!token.inlineValue && /^-./.test(value))) {
    return { problem: `${rawName} needs a value: write ${rawName}=VALUE.` };
  }
  return { flag: positive, text: value };
}
