import { readFileSync } from 'node:fs';
import { checkConfigCommand } from '../config/check-config.ts';
import { ConfigError } from '../config/config-error.ts';
import { helpText } from '../config/config-help.ts';
import { nearestName } from '../config/option-names.ts';
import type { ScopedCommand } from '../config/option-scope.ts';
import { type ConfigInput, type ConfigReading, readConfig } from '../config/read-config.ts';
import { AdminError } from '../http/admin-error.ts';
import { printable } from '../log/printable.ts';
import type { Command, CommandContext, Program } from './program.ts';

/** Output and files of a command line. The defaults are those of the process. */
export interface CommandIo
  extends Pick<CommandContext<object>, 'print' | 'printError'>,
    Pick<ConfigInput, 'readFile'> {}

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

const processIo: CommandIo = {
  print: (text) => void process.stdout.write(`${text}\n`),
  printError: (text) => void process.stderr.write(`${text}\n`),
  readFile: (path) => readFileSync(path, 'utf8'),
};

/**
 * Runs the command that `argv` (without node and script) names. Returns the exit code: that of the
 * command; 1 for an invalid configuration or a command that throws, which is reported on stderr; 2
 * for an unknown command.
 */
export async function runCommand<C extends object>(
  program: Program<C>,
  argv: readonly string[],
  env: ConfigInput['env'],
  io: CommandIo = processIo,
): Promise<number> {
  const full: Program<C> = {
    ...program,
    commands: { ...program.commands, 'check-config': checkConfigCommand(program.prepare) },
  };
  const [name, ...flags] = argv;
  if (name === '--version') {
    io.print(`${full.name} ${full.version}`);
    return 0;
  }
  if (name === undefined || isHelp(name)) {
    const say = name === undefined ? io.printError : io.print;
    say(helpText(full));
    return name === undefined ? EXIT_USAGE : 0;
  }
  const command = Object.hasOwn(full.commands, name) ? full.commands[name] : undefined;
  if (command === undefined) {
    io.printError(unknownCommand(full, name));
    return EXIT_USAGE;
  }
  const input = { argv: flags, env, readFile: io.readFile };
  if (flags.some(isHelp)) {
    io.print(helpText(full, name));
    return 0;
  }
  try {
    return await runWithConfig(full, name, command, input, io);
  } catch (error) {
    for (const line of complaint(error)) io.printError(`${full.name}: ${line}`);
    return EXIT_FAILED;
  }
}

function runWithConfig<C extends object>(
  program: Program<C>,
  name: string,
  command: Command<C>,
  input: ConfigInput,
  io: CommandIo,
): number | Promise<number> {
  const scope: ScopedCommand = { name, uses: command.uses, flags: command.flags };
  const reread = (): ConfigReading<C> => readConfig(program, input, scope);
  const { config, sources, warnings } = reread();
  const { print, printError } = io;
  return command.run(config, { sources, warnings, reread, print, printError });
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h';
}

function unknownCommand<C extends object>(program: Program<C>, name: string): string {
  if (name.startsWith('-'))
    return `${program.name}: put the command first: ${program.name} <command> [options].`;
  const names = Object.keys(program.commands);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `the commands are ${names.join(', ')}.` : `did you mean ${nearest}?`;
  return `${program.name}: unknown command "${printable(name)}": ${hint} ${program.name} --help says more.`;
}

/**
 * Returns sentences for an error that the operator can fix; any other is a defect, and gets its
 * stack.
 */
function complaint(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  if (error instanceof AdminError) return [error.message];
  return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
}
