import type { Option, OptionTable } from '@groupcast/options';
import { flagName } from './option-names.ts';

/** Name of the flag and of the variable (`<prefix>_CONFIG`) that name the config file. */
export const CONFIG_KEY = 'config';

/** A command by its name, with the options that matter to it. */
export interface ScopedCommand {
  readonly name: string;
  readonly uses?: readonly string[] | undefined;
  readonly flags?: OptionTable | undefined;
}

type Rows = ReadonlyMap<string, Option<unknown>>;

/** The options of a program as one of its commands sees them. Without a command, all are used. */
export class OptionScope {
  /** All options of the program. */
  readonly program: Rows;
  /** Options of the program that the command uses: from flags, variables and the config file. */
  readonly used: Rows;
  /** Flags of the command alone. */
  readonly own: Rows;
  readonly #command: string;

  constructor(program: OptionTable, command?: ScopedCommand) {
    const { name = '', uses, flags = {} } = command ?? {};
    this.program = new Map(Object.entries(program));
    this.used = new Map([...this.program].filter(([key]) => uses?.includes(key) ?? true));
    this.own = new Map(Object.entries(flags));
    this.#command = name;
  }

  /** Options of the program and of the command; those that it does not use have defaults. */
  get all(): Rows {
    return new Map([...this.program, ...this.own]);
  }

  /** Whether the config file can matter to the command. */
  get usesFile(): boolean {
    return this.used.size > 0;
  }

  /** Options by the names of the flags that the command accepts. */
  get flags(): Rows {
    return new Map([...this.used, ...this.own].map(([key, option]) => [flagName(key), option]));
  }

  /** Returns the problem of a flag of the program that the command does not use. */
  unusedFault(flag: string): string {
    const names = [...this.flags.keys(), ...(this.usesFile ? [CONFIG_KEY] : [])].map((name) => `--${name}`);
    const known = names.length === 0 ? 'It has no options.' : `Its options are ${names.join(', ')}.`;
    return `${this.#command} does not use ${flag}. ${known}`;
  }
}
