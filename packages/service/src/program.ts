import type { ConfigDefinition, ConfigReading } from './read-config.ts';

/** A command-line program: a config table and the commands that take it. */
export interface Program<C extends object> extends ConfigDefinition<C> {
  /** What it is called on the command line: `groupcast-hub`. */
  readonly name: string;
  readonly version: string;
  /** One sentence. */
  readonly summary: string;
  /** By name. `check-config` is built in and need not be listed. */
  readonly commands: Readonly<Record<string, Command<C>>>;
}

/** One command of a program. */
export interface Command<C extends object> {
  /** One sentence for `--help`. */
  readonly summary: string;
  /** Does the work and returns the exit code of the process. */
  run(config: C, context: CommandContext<C>): number | Promise<number>;
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
