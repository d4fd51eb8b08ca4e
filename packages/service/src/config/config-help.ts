import type { Option } from '@groupcast/options';
import type { Program } from '../cli/program.ts';
import { envName, flagName } from './option-names.ts';
import { formatValue } from './option-values.ts';
import { CONFIG_KEY } from './read-flags.ts';

/** Width of `--help` in columns, for small terminals. */
const HELP_COLUMNS = 100;

const INDENT = '      ';

/**
 * Returns the text of `--help` for a program, or for one of its commands: at most 100 columns wide.
 */
export function helpText<C extends object>(program: Program<C>, commandName?: string): string {
  const command = commandName === undefined ? undefined : program.commands[commandName];
  const lines = [
    ...wrap(
      command === undefined ? `${program.name} ${program.version}: ${program.summary}` : command.summary,
      '',
    ),
    '',
    `Usage: ${program.name} ${commandName ?? '<command>'} [options]`,
    '',
  ];
  if (command === undefined) lines.push('Commands:', ...commandLines(program), '');
  lines.push(
    'Options (flags win over environment variables, these over the config file, and that over defaults):',
  );
  for (const [key, option] of Object.entries<Option<unknown>>({ ...program.options })) {
    lines.push(`  ${flagUsage(key, option)}`);
    lines.push(...wrap(option.describe, INDENT));
    lines.push(...wrap(`${facts(option)} Env ${envName(program.envPrefix, key)}.`, INDENT));
  }
  lines.push(`  --${CONFIG_KEY} FILE`);
  lines.push(...wrap('JSON file with options by their camelCase names, such as {"port": 2206}.', INDENT));
  lines.push(...wrap(`Env ${envName(program.envPrefix, CONFIG_KEY)}.`, INDENT));
  lines.push('  --help', `${INDENT}Print this text.`);
  if (command === undefined) lines.push('  --version', `${INDENT}Print the name and the version.`);
  return lines.join('\n');
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
