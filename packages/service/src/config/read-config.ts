import type { Option } from '@groupcast/options';
import { printable } from '../log/printable.ts';
import { ConfigError } from './config-error.ts';
import { envName, nearestName } from './option-names.ts';
import { CONFIG_KEY, OptionScope, type ScopedCommand } from './option-scope.ts';
import { type ConfigTable, valueOfJson, valueOfTexts } from './option-values.ts';
import { readFlags } from './read-flags.ts';
import { advice, quote, type SourceReading, take } from './source-reading.ts';

/** Options of a program, and rules between them. */
export interface ConfigDefinition<C extends object> {
  readonly options: ConfigTable<C>;
  /** Prefix of its environment variables, without the last underscore: `GROUPCAST_HUB`. */
  readonly envPrefix: string;
  /**
   * Checks options against each other: returns one sentence per problem. Called once each option is
   * valid.
   */
  readonly check?: (config: C) => readonly string[];
}

/** Sources of a configuration. `argv` has flags only, without program and command. */
export interface ConfigInput {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Returns the text of the file that `--config` names, or throws. */
  readonly readFile: (path: string) => string;
}

/** A valid configuration. */
export interface ConfigReading<C extends object> {
  /** Values of all options, frozen. */
  readonly config: C;
  /**
   * Source of each value: `flag --port`, `env GROUPCAST_HUB_PORT`, `file hub.json` or `default`.
   */
  readonly sources: Readonly<Record<string, string>>;
  /** Probable mistakes, one sentence each, such as an unknown variable with the prefix. */
  readonly warnings: readonly string[];
}

/**
 * Reads the configuration: flags win over environment variables, these over the file, and that over
 * the defaults. An environment variable that is empty counts as not set. Reads nothing but its
 * input.
 *
 * `command` may use some of the options only, and may have flags of its own, whose values are in
 * the result.
 *
 * @throws ConfigError with every problem of every source, also of values that another source
 * overrides.
 */
export function readConfig<C extends object>(
  definition: ConfigDefinition<C>,
  input: ConfigInput,
  command?: ScopedCommand,
): ConfigReading<C> {
  const scope = new OptionScope(definition.options, command);
  const flags = readFlags(scope, input.argv);
  const env = readEnv(scope.used, definition.envPrefix, input.env);
  const path = flags.configPath ?? (input.env[envName(definition.envPrefix, CONFIG_KEY)] || undefined);
  const file = readConfigFile(scope, scope.usesFile ? path : undefined, input.readFile);

  const values: Record<string, unknown> = {};
  const sources: Record<string, string> = {};
  for (const [key, option] of scope.all) {
    const found = flags.values.get(key) ?? env.values.get(key) ?? file.values.get(key);
    values[key] = found === undefined ? option.default : found.value;
    sources[key] = found?.source ?? 'default';
  }
  // The table has an option of the right type for each member of C, and each has a value above.
  const config = Object.freeze(values) as C;

  const problems = [...flags.problems, ...env.problems, ...file.problems];
  if (problems.length === 0 && scope.usesFile) problems.push(...(definition.check?.(config) ?? []));
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    config,
    sources: Object.freeze(sources),
    warnings: unknownVariables(Object.keys(definition.options), definition.envPrefix, input.env),
  };
}

function readEnv(
  table: ReadonlyMap<string, Option<unknown>>,
  prefix: string,
  env: ConfigInput['env'],
): SourceReading {
  const reading: SourceReading = { values: new Map(), problems: [] };
  for (const [key, option] of table) {
    const name = envName(prefix, key);
    const text = env[name];
    if (text === undefined || text === '') continue;
    take(reading, key, option, valueOfTexts(option, [text]), `env ${name}`, `${name}=${quote(text)}`);
  }
  return reading;
}

function unknownVariables(
  keys: readonly string[],
  prefix: string,
  env: ConfigInput['env'],
): readonly string[] {
  const known = new Set([...keys, CONFIG_KEY].map((key) => envName(prefix, key)));
  return Object.keys(env)
    .filter((name) => name.startsWith(`${prefix}_`) && !known.has(name))
    .map(
      (name) =>
        `Unknown environment variable ${quote(name)} is ignored: ${advice(nearestName(name, known), '')}`,
    );
}

function readConfigFile(
  { program, used }: OptionScope,
  path: string | undefined,
  readFile: ConfigInput['readFile'],
): SourceReading {
  const reading: SourceReading = { values: new Map(), problems: [] };
  if (path === undefined) return reading;
  const name = quote(path);
  let json: unknown;
  try {
    json = JSON.parse(readFile(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    reading.problems.push(`Config file ${name} cannot be read as JSON: ${printable(reason)}.`);
    return reading;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    reading.problems.push(`Config file ${name} must hold one JSON object, such as {"port": 2206}.`);
    return reading;
  }
  for (const [key, value] of Object.entries(json)) {
    const option = used.get(key);
    if (!program.has(key)) {
      reading.problems.push(
        `Unknown key ${quote(key)} in ${name}: ${advice(nearestName(key, program.keys()), '')}`,
      );
    } else if (option !== undefined) {
      const where = `"${key}": ${printable(JSON.stringify(value))} in ${name}`;
      take(reading, key, option, valueOfJson(option, value), `file ${path}`, where);
    }
  }
  return reading;
}
