import type { Option } from '@groupcast/options';
import type { Program } from '../cli/program.ts';
import { envName, flagName } from './option-names.ts';
import { CONFIG_KEY, OptionScope } from './option-scope.ts';
import { formatValue } from './option-values.ts';

/** Width of `--help` in columns, for small terminals. */
const HELP_COLUMNS = 100;

const INDENT = '      ';

/** Codes of a command that says nothing else about them. */
const EXIT_CODES: Readonly<Record<string, string>> = {
  0: 'Success.',
  1: 'Failure, or an invalid option; stderr says which.',
};

/** Codes of any command. */
const PROGRAM_EXIT_CODES: Readonly<Record<string, string>> = {
  ...EXIT_CODES,
  2: 'No command, or an unknown one.',
};

/**
 * Returns the text of `--help` for a program, or for one of its commands with the options that
 * matter to it: at most 100 columns wide.
 */
export function helpText<C extends object>(program: Program<C>, commandName?: string): string {
  const command = commandName === undefined ? undefined : program.commands[commandName];
  if (commandName === undefined || command === undefined) return programHelp(program);
  const { uses, flags } = command;
  const scope = new OptionScope(program.options, { name: commandName, uses, flags });
  return [
    ...wrap(command.summary, ''),
    '',
    `Usage: ${program.name} ${commandName} [options]`,
    '',
    ...optionLines(program, scope),
    '',
    ...exitCodeLines(command.exitCodes ?? EXIT_CODES),
  ].join('\n');
}

function programHelp<C extends object>(program: Program<C>): string {
  return [
    ...wrap(`${program.name} ${program.version}: ${program.summary}`, ''),
    '',
    `Usage: ${program.name} <command> [options]`,
    '',
    'Commands:',
    ...commandLines(program),
    '',
    'Options:',
    '  --help',
    `${INDENT}Print this text, or that of a command with its options: ${program.name} <command> --help.`,
    '  --version',
    `${INDENT}Print the name and the version.`,
    '',
    ...exitCodeLines(PROGRAM_EXIT_CODES),
  ].join('\n');
}

function optionLines<C extends object>({ envPrefix }: Program<C>, scope: OptionScope): string[] {
  const lines = [];
  if (scope.usesFile) {
    lines.push(
      'Options (flags win over environment variables, these over the config file, and that over defaults):',
    );
  } else lines.push('Options:');
  for (const [key, option] of scope.used) {
    lines.push(...optionText(key, option, ` Env ${envName(envPrefix, key)}.`));
  }
  for (const [key, option] of scope.own) lines.push(...optionText(key, option, ''));
  if (scope.usesFile) {
    lines.push(`  --${CONFIG_KEY} FILE`);
    lines.push(...wrap('JSON file with options by their camelCase names, such as {"port": 2206}.', INDENT));
    lines.push(...wrap(`Env ${envName(envPrefix, CONFIG_KEY)}.`, INDENT));
  }
  return [...lines, '  --help', `${INDENT}Print this text.`];
}

function optionText(key: string, option: Option<unknown>, env: string): readonly string[] {
  return [
    `  ${flagUsage(key, option)}`,
    ...wrap(option.describe, INDENT),
    ...wrap(`${facts(option)}${env}`, INDENT),
  ];
}

/** Object keys that are numbers are in their order. */
function exitCodeLines(codes: Readonly<Record<string, string>>): readonly string[] {
  const width = Math.max(...Object.keys(codes).map((code) => code.length));
  return [
    'Exit codes:',
    ...Object.entries(codes).map(([code, meaning]) => `  ${code.padEnd(width)}  ${meaning}`),
  ];
}

/** Returns the options of a program as a section of Markdown, for `docs/CONFIG.md`. */
export function configMarkdown<C extends object>(program: Program<C>): string {
  const rows = Object.entries<Option<unknown>>({ ...program.options }).map(([key, option]) => [
    `\`${flagUsage(key, option)}\``,
    `\`${envName(program.envPrefix, key)}\``,
    `\`${key}\``,
    `\`${formatValue(option.default)}\``,
    option.unit === '' ? option.allowed : `${option.allowed}, ${option.unit}`,
    option.describe,
  ]);
  const file = [
    `\`--${CONFIG_KEY} FILE\``,
    `\`${envName(program.envPrefix, CONFIG_KEY)}\``,
    '',
    '`(none)`',
    'a string',
    'JSON file with options by the names of the column "File".',
  ];
  const head = ['Flag', 'Environment', 'File', 'Default', 'Allowed', 'What it does'];
  return [
    `## ${program.name}`,
    '',
    program.summary,
    '',
    markdownRow(head),
    markdownRow(head.map(() => '---')),
    ...[...rows, file].map(markdownRow),
    '',
  ].join('\n');
}

function commandLines<C extends object>(program: Program<C>): string[] {
  return Object.entries(program.commands).flatMap(([name, command]) => [
    `  ${name}`,
    ...wrap(command.summary, INDENT),
  ]);
}

/** Returns how a flag is written: one that is on by default is useful only to turn it off. */
function flagUsage(key: string, option: Option<unknown>): string {
  if (option.kind !== 'flag') return `--${flagName(key)} ${option.valueName}`;
  return option.default === true ? `--no-${flagName(key)}` : `--${flagName(key)}`;
}

function facts(option: Option<unknown>): string {
  const unit = option.unit === '' ? '' : ` ${option.unit}`;
  return `Default ${formatValue(option.default)}${unit}; ${option.allowed}.`;
}

/** Breaks a text at spaces, so that each line fits with its indent; a longer word stays whole. */
function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > HELP_COLUMNS) {
      lines.push(indent + line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, indent + line];
}

function markdownRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
