import type { ConfigTable } from '../config/option-values.ts';
import type { ConfigDefinition, ConfigReading } from '../config/read-config.ts';

/** A command-line program: a config table and the commands that take it. */
export interface Program<C extends object> extends ConfigDefinition<C> {
  /** What it is called on the command line: `groupcast-hub`. */
  readonly name: string;
  readonly version: string;
  /**
   * Makes every check that `start` makes, and reads the files that the configuration names: `check-config` calls it.
   * Throws ConfigError with every problem.
   */
  readonly prepare?: (config: C) => { readonly warnings: readonly string[] };
  /** One sentence. */
  readonly summary: string;
  /** By name. `check-config` is built in and need not be listed. */
  readonly commands: Readonly<Record<string, Command<C> | CommandWithOptions>>;
}

/** One command of a program. */
export interface Command<C extends object> {
  /** One sentence for `--help`. */
  readonly summary: string;
  /** Does the work and returns the exit code of the process. */
  run(config: C, context: CommandContext<C>): number | Promise<number>;
}

/** A command that takes options of its own in place of those of the program. `commandWithOptions` makes it. */
export interface CommandWithOptions {
  readonly summary: string;
  /** Calls `use` with the options and the command that takes them: only the two together say of what type they are. */
  open<R>(use: <O extends object>(options: ConfigTable<O>, command: Command<O>) => R): R;
}

/** Gives a command options of its own. Its variables begin with its name, too: `GROUPCAST_HUB_GEN_CERTS_DIR`. */
export function commandWithOptions<O extends object>(
  options: ConfigTable<O>,
  command: Command<O>,
): CommandWithOptions {
  return { summary: command.summary, open: (use) => use(options, command) };
}

/** What a command has besides its config. */
export interface CommandContext<C extends object> extends Pick<ConfigReading<C>, 'sources' | 'warnings'> {
  /** Reads the configuration once more from the same flags, the same environment, and the file as it is now. Throws ConfigError. */
  reread(): ConfigReading<C>;
  /** Writes a text and a line end to stdout, where tables and answers go. */
  print(text: string): void;
  /** Writes a text and a line end to stderr, where complaints go. */
  printError(text: string): void;
}
