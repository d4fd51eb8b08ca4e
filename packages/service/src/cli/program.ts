import type { OptionTable } from '@groupcast/options';
import type { ConfigTable } from '../config/option-values.ts';
import type { ConfigDefinition, ConfigReading } from '../config/read-config.ts';

/** A command-line program: a table of options, and commands that run with their values. */
export interface Program<C extends object> extends ConfigDefinition<C> {
  /** Name on the command line: `groupcast-hub`. */
  readonly name: string;
  readonly version: string;
  /**
   * Makes every check that `start` makes, and reads the files that the configuration names:
   * `check-config` calls it. Throws ConfigError with every problem.
   */
  readonly prepare?: (config: C) => { readonly warnings: readonly string[] };
  /** Summary for `--help`, one sentence. */
  readonly summary: string;
  /** Commands by name. `check-config` is built in and not listed. */
  readonly commands: Readonly<Record<string, Command<C>>>;
}

/** One command of a program. */
export interface Command<C extends object, F extends object = object> {
  /** Summary for `--help`, one sentence. */
  readonly summary: string;
  /** Meaning of its exit codes, for `--help`. Default: 0 is success, and 1 failure. */
  readonly exitCodes?: Readonly<Record<string, string>>;
  /**
   * Options of the program that the command uses; default: all. The flags of others are errors;
   * their variables and their keys in the config file are ignored. A command that uses none runs
   * without the check of the program.
   */
  readonly uses?: readonly (keyof C & string)[];
  /** Flags of this command alone. They have no variable, and no key in the config file. */
  readonly flags?: OptionTable & ConfigTable<F>;
  /** Does the work and returns the exit code of the process. */
  run(config: C & F, context: CommandContext<C>): number | Promise<number>;
}

/** Sources, warnings and output of a command. */
export interface CommandContext<C extends object> extends Pick<ConfigReading<C>, 'sources' | 'warnings'> {
  /**
   * Reads the configuration again: the same flags and environment, and the file as it is now.
   * Throws ConfigError.
   */
  reread(): ConfigReading<C>;
  /** Writes a text and a line end to stdout, for tables and results. */
  print(text: string): void;
  /** Writes a text and a line end to stderr, for errors and warnings. */
  printError(text: string): void;
}
