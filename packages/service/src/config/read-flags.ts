import { parseArgs } from 'node:util';
import type { Option } from '@groupcast/options';
import { flagName, nearestName } from './option-names.ts';
import { CONFIG_KEY, type OptionScope } from './option-scope.ts';
import { valueOfTexts } from './option-values.ts';
import { advice, quote, type SourceReading, take } from './source-reading.ts';

interface FlagReading extends SourceReading {
  /** Value of `--config`. */
  readonly configPath: string | undefined;
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];
type OptionToken = Extract<Token, { kind: 'option' }>;

/** Reads the flags of a command line: `--name VALUE`, `--name=VALUE`, `--flag`, `--no-flag`. */
export function readFlags(scope: OptionScope, argv: readonly string[]): FlagReading {
  const reading: SourceReading = { values: new Map(), problems: [] };
  const texts = collectTexts(scope, argv, reading.problems);
  for (const [key, option] of [...scope.used, ...scope.own]) {
    const flag = flagName(key);
    const given = texts.get(flag);
    if (given === undefined) continue;
    const problem = countFault(flag, given, option.kind) ?? emptyFault(flag, given, option.kind);
    if (problem !== undefined) reading.problems.push(problem);
    else {
      const where = `--${flag} ${quote(given.join(','))}`;
      take(reading, key, option, valueOfTexts(option, given), `flag --${flag}`, where);
    }
  }
  const paths = texts.get(CONFIG_KEY) ?? [];
  const problem = countFault(CONFIG_KEY, paths, 'text') ?? emptyFault(CONFIG_KEY, paths, 'text');
  if (problem === undefined) return { ...reading, configPath: paths[0] };
  reading.problems.push(problem);
  return { ...reading, configPath: undefined };
}

/** Only lists are given several times: of two other values, one would be ignored silently. */
function countFault(
  flag: string,
  texts: readonly string[],
  kind: Option<unknown>['kind'],
): string | undefined {
  if (texts.length < 2 || kind === 'list') return undefined;
  const times = texts.length === 2 ? 'twice' : `${texts.length} times`;
  return `--${flag} is given ${times} (${texts.map(quote).join(', ')}). Give it once.`;
}

/** An empty value is most likely an unset shell variable. It must not stand for a default. */
function emptyFault(
  flag: string,
  texts: readonly string[],
  kind: Option<unknown>['kind'],
): string | undefined {
  if (kind !== 'list' && kind !== 'text') return undefined;
  if (texts.length === 0 || texts.some((text) => /[^\s,]/.test(text))) return undefined;
  return `--${flag} is empty. Give a value, or leave it out for the default.`;
}

/** Returns the values of each known flag, in order. */
function collectTexts(
  scope: OptionScope,
  argv: readonly string[],
  problems: string[],
): ReadonlyMap<string, readonly string[]> {
  // Those that the command does not use are known, too, so that their values are not taken for
  // arguments.
  const rows = new Map([...scope.all].map(([key, option]) => [flagName(key), option.kind === 'flag']));
  rows.set(CONFIG_KEY, false);
  const options = Object.fromEntries(
    [...rows].map(([flag, isFlag]) => [flag, { type: isFlag ? ('boolean' as const) : ('string' as const) }]),
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
  let afterProblem = false;
  for (const token of tokens) {
    // The argument after an invalid option is most likely its value, and no second problem.
    if (token.kind === 'positional' && !afterProblem) {
      problems.push(`Unexpected argument ${quote(token.value)}: --help shows how options are written.`);
    }
    afterProblem = false;
    if (token.kind !== 'option') continue;
    const meaning = readToken(rows, scope, token);
    if (meaning.problem === undefined) {
      texts.set(meaning.flag, [...(texts.get(meaning.flag) ?? []), meaning.text]);
    } else {
      problems.push(meaning.problem);
      afterProblem = meaning.mayHaveValue;
    }
  }
  return texts;
}

type TokenMeaning =
  | { readonly flag: string; readonly text: string; readonly problem?: never }
  | { readonly problem: string; readonly mayHaveValue: boolean };

function readToken(
  rows: ReadonlyMap<string, boolean>,
  scope: OptionScope,
  { name, rawName, value, inlineValue }: OptionToken,
): TokenMeaning {
  const positive = name.startsWith('no-') && !rows.has(name) ? name.slice('no-'.length) : name;
  const isFlag = rows.get(positive);
  const { flags } = scope;
  if (isFlag === undefined || (positive !== name && !isFlag)) {
    const known = [...flags].flatMap(([flag, { kind }]) => (kind === 'flag' ? [flag, `no-${flag}`] : [flag]));
    const nearest = nearestName(name, scope.usesFile ? [...known, CONFIG_KEY] : known);
    return { problem: `Unknown option ${quote(rawName)}: ${advice(nearest, '--')}`, mayHaveValue: true };
  }
  if (!flags.has(positive) && !(positive === CONFIG_KEY && scope.usesFile)) {
    return { problem: scope.unusedFault(rawName), mayHaveValue: false };
  }
  if (isFlag) {
    if (value === undefined) return { flag: positive, text: String(positive === name) };
    const problem = `${rawName} takes no value: write --${positive} or --no-${positive}.`;
    return { problem, mayHaveValue: false };
  }
  // `--host --port 1` is a forgotten value, not a host called "--port"; Node's strict parsing
  // rejects it as well.
  if (value === undefined || (!inlineValue && /^-./.test(value))) {
    return { problem: `${rawName} needs a value: write ${rawName}=VALUE.`, mayHaveValue: true };
  }
  return { flag: positive, text: value };
}
