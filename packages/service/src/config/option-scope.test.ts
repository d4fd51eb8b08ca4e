import { flagOption, integerOption, textOption } from '@groupcast/options';
import { expect, test } from 'vitest';
import type { Command, Program } from '../cli/program.ts';
import { ConfigError } from './config-error.ts';
import { helpText } from './config-help.ts';
import { readConfig } from './read-config.ts';

interface Config {
  readonly port: number;
  readonly host: string;
}

const status: Command<Config> = {
  summary: 'Ask.',
  uses: ['port'],
  flags: { asJson: flagOption({ default: false, describe: 'JSON.' }) },
  run: () => 0,
};

const program: Program<Config> = {
  name: 'groupcast-hub',
  version: '0.1.0',
  summary: 'A hub.',
  envPrefix: 'GROUPCAST_HUB',
  options: {
    port: integerOption({ default: 1, min: 0, max: 9, unit: 'TCP port', describe: 'Port.' }),
    host: textOption({ default: '::', valueName: 'ADDRESS', describe: 'Address.' }),
  },
  commands: { status, make: { summary: 'Make.', uses: [], run: () => 0 } },
};

function read(argv: readonly string[], env: Record<string, string> = {}, file = '{}'): unknown {
  const input = { argv, env, readFile: () => file };
  return readConfig(program, input, { name: 'status', uses: status.uses, flags: status.flags }).config;
}

function problems(...given: Parameters<typeof read>): readonly string[] {
  try {
    read(...given);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test('a command has the values of what it uses, defaults of the rest, and its own flags', () => {
  expect(read(['--port=2', '--as-json'])).toEqual({ port: 2, host: '::', asJson: true });
});

test('variables and keys that the command does not use are ignored, also invalid ones', () => {
  const env = { GROUPCAST_HUB_HOST: 'x', GROUPCAST_HUB_PORT: '3' };
  expect(read(['--config=a'], env, '{"host":7}')).toEqual({ port: 3, host: '::', asJson: false });
  expect(problems(['--config=a'], {}, '{"hots":7}')).toEqual([
    'Unknown key "hots" in "a": did you mean host?',
  ]);
});

test('its own flags have no variable and no key', () => {
  expect(read([], { GROUPCAST_HUB_AS_JSON: 'true' })).toMatchObject({ asJson: false });
  expect(problems(['--config=a'], {}, '{"asJson":true}')).toEqual([
    'Unknown key "asJson" in "a": --help lists the options.',
  ]);
});

test('a flag that it does not use is one problem, which lists those that it does', () => {
  expect(problems(['--host', 'x', '--port=4'])).toEqual([
    'status does not use --host. Its options are --port, --as-json, --config.',
  ]);
});

test('its help has what it uses, word for word', () => {
  expect(helpText(program, 'status')).toBe(`Ask.

Usage: groupcast-hub status [options]

Options (flags win over environment variables, these over the config file, and that over defaults):
  --port NUMBER
      Port.
      Default 1 TCP port; an integer from 0 to 9. Env GROUPCAST_HUB_PORT.
  --as-json
      JSON.
      Default false; true or false.
  --config FILE
      JSON file with options by their camelCase names, such as {"port": 2206}.
      Env GROUPCAST_HUB_CONFIG.
  --help
      Print this text.

Exit codes:
  0  Success.
  1  Failure, or an invalid option; stderr says which.`);
  expect(helpText(program, 'make')).toContain('Options:\n  --help\n');
});
