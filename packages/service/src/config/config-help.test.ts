import { choiceOption, flagOption, numberOption, textOption } from '@groupcast/options';
import { expect, test } from 'vitest';
import type { Program } from '../cli/program.ts';
import { configMarkdown, helpText } from './config-help.ts';
import type { ConfigTable } from './option-values.ts';

interface Config {
  readonly host: string;
  readonly drainSeconds: number;
  readonly welcomePage: boolean;
  readonly logLevel: 'info' | 'warn';
}

const long =
  'How long a stop may take, in which each client is told when to come back and to which other process of it.';

const options: ConfigTable<Config> = {
  host: textOption({ default: '', valueName: 'ADDRESS', describe: 'Address.' }),
  drainSeconds: numberOption({ default: 20, min: 0, max: 3600, unit: 'seconds', describe: long }),
  welcomePage: flagOption({ default: true, describe: 'Page.' }),
  logLevel: choiceOption({ choices: ['info', 'warn'], default: 'info', describe: 'Level.' }),
};

const program: Program<Config> = {
  name: 'groupcast-hub',
  version: '0.1.0',
  summary: 'A hub.',
  envPrefix: 'GROUPCAST_HUB',
  options,
  commands: { start: { summary: 'Run the hub.', run: () => 0 } },
};

test('the help of a command, word for word', () => {
  expect(helpText(program, 'start')).toBe(`Run the hub.

Usage: groupcast-hub start [options]

Options (flags win over environment variables, these over the config file, and that over defaults):
  --host ADDRESS
      Address.
      Default (none); a string. Env GROUPCAST_HUB_HOST.
  --drain-seconds NUMBER
      How long a stop may take, in which each client is told when to come back and to which other
      process of it.
      Default 20 seconds; a number from 0 to 3600. Env GROUPCAST_HUB_DRAIN_SECONDS.
  --no-welcome-page
      Page.
      Default true; true or false. Env GROUPCAST_HUB_WELCOME_PAGE.
  --log-level info|warn
      Level.
      Default info; one of info, warn. Env GROUPCAST_HUB_LOG_LEVEL.
  --config FILE
      JSON file with options by their camelCase names, such as {"port": 2206}.
      Env GROUPCAST_HUB_CONFIG.
  --help
      Print this text.

Exit codes:
  0  Success.
  1  Failure, or an invalid option; stderr says which.`);
});

test('the help of the program lists its commands, and no line is wider than 100 columns', () => {
  const help = helpText(program);
  expect(help).toContain('groupcast-hub 0.1.0: A hub.\n\nUsage: groupcast-hub <command> [options]');
  expect(help).toContain('Commands:\n  start\n      Run the hub.\n');
  expect(help).toContain('  --version\n');
  expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('the table for the docs, word for word', () => {
  expect(configMarkdown(program)).toBe(`## groupcast-hub

A hub.

| Flag | Environment | File | Default | Allowed | What it does |
| --- | --- | --- | --- | --- | --- |
| \`--host ADDRESS\` | \`GROUPCAST_HUB_HOST\` | \`host\` | \`(none)\` | a string | Address. |
| \`--drain-seconds NUMBER\` | \`GROUPCAST_HUB_DRAIN_SECONDS\` | \`drainSeconds\` | \`20\` | a number from 0 to 3600, seconds | ${long} |
| \`--no-welcome-page\` | \`GROUPCAST_HUB_WELCOME_PAGE\` | \`welcomePage\` | \`true\` | true or false | Page. |
| \`--log-level info\\|warn\` | \`GROUPCAST_HUB_LOG_LEVEL\` | \`logLevel\` | \`info\` | one of info, warn | Level. |
| \`--config FILE\` | \`GROUPCAST_HUB_CONFIG\` |  | \`(none)\` | a string | JSON file with options by the names of the column "File". |
`);
});
