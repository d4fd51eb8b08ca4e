import { flagOption, integerOption, listOption, textOption } from '@groupcast/options';
import { describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import type { ConfigTable } from './option-values.ts';
import { type ConfigDefinition, type ConfigReading, readConfig } from './read-config.ts';

interface Config {
  readonly host: string;
  readonly port: number;
  readonly insecure: boolean;
  readonly welcomePage: boolean;
  readonly allowedOrigins: readonly string[];
}

const options: ConfigTable<Config> = {
  host: textOption({ default: '127.0.0.1', valueName: 'ADDRESS', describe: 'Address.' }),
  port: integerOption({ default: 2206, min: 0, max: 65_535, unit: 'TCP port', describe: 'Port.' }),
  insecure: flagOption({ default: false, describe: 'Risk.' }),
  welcomePage: flagOption({ default: true, describe: 'Page.' }),
  allowedOrigins: listOption({ default: [], valueName: 'ORIGIN', describe: 'Origins.' }),
};

const definition: ConfigDefinition<Config> = {
  options,
  envPrefix: 'GROUPCAST_HUB',
  check: (config) =>
    config.host === '0.0.0.0' && !config.insecure ? ['--host 0.0.0.0 needs --insecure.'] : [],
};

interface Given {
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

function read(given: Given): ConfigReading<Config> {
  const files = new Map(Object.entries(given.files ?? {}));
  const readFile = (path: string): string => {
    const text = files.get(path);
    if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
    return text;
  };
  return readConfig(definition, { argv: given.argv ?? [], env: given.env ?? {}, readFile });
}

function problems(given: Given): readonly string[] {
  try {
    read(given);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('sources of values', () => {
  test('defaults, complete and frozen', () => {
    const { config, sources, warnings } = read({});
    expect(config).toEqual({
      host: '127.0.0.1',
      port: 2206,
      insecure: false,
      welcomePage: true,
      allowedOrigins: [],
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(new Set(Object.values(sources))).toEqual(new Set(['default']));
    expect(warnings).toEqual([]);
  });

  test('flag over environment over file over default, each with its source', () => {
    const files = { 'hub.json': '{"port":1,"host":"f","insecure":true,"allowedOrigins":["x"]}' };
    const env = { GROUPCAST_HUB_PORT: '2', GROUPCAST_HUB_HOST: 'e', GROUPCAST_HUB_INSECURE: 'false' };
    const { config, sources } = read({ argv: ['--config', 'hub.json', '--port=3'], env, files });
    expect(config).toEqual({ host: 'e', port: 3, insecure: false, welcomePage: true, allowedOrigins: ['x'] });
    expect(sources).toEqual({
      host: 'env GROUPCAST_HUB_HOST',
      port: 'flag --port',
      insecure: 'env GROUPCAST_HUB_INSECURE',
      welcomePage: 'default',
      allowedOrigins: 'file hub.json',
    });
  });

  test('flags of every shape', () => {
    const argv = ['--host=h', '--port', '5', '--insecure', '--no-welcome-page'];
    const { config } = read({ argv: [...argv, '--allowed-origins', 'a,b', '--allowed-origins=c'] });
    expect(config).toEqual({
      host: 'h',
      port: 5,
      insecure: true,
      welcomePage: false,
      allowedOrigins: ['a', 'b', 'c'],
    });
  });

  test('the file may be named by the environment, and an empty variable is not set', () => {
    const env = { GROUPCAST_HUB_CONFIG: 'hub.json', GROUPCAST_HUB_PORT: '', GROUPCAST_HUB_HOST: '' };
    const { config } = read({ env, files: { 'hub.json': '{"port":7}' } });
    expect([config.port, config.host]).toEqual([7, '127.0.0.1']);
  });
});

describe('invalid input', () => {
  test('every problem of every source at once, with source, value and what is allowed', () => {
    const files = { 'hub.json': '{"port":"80","hots":"x","__proto__":1,"constructor":2}' };
    const argv = ['--config=hub.json', '--port', 'abc', '--prot', '9', '--insecure=yes', 'stray', '--host'];
    const env = { GROUPCAST_HUB_PORT: '70000', GROUPCAST_HUB_INSECURE: 'maybe' };
    expect(problems({ argv, env, files })).toEqual([
      'Unknown option "--prot": did you mean --port?',
      '--insecure takes no value: write --insecure or --no-insecure.',
      'Unexpected argument "stray": --help shows how options are written.',
      '--host needs a value: write --host=VALUE.',
      '--port "abc": must be an integer from 0 to 65535.',
      'GROUPCAST_HUB_PORT="70000": must be an integer from 0 to 65535.',
      'GROUPCAST_HUB_INSECURE="maybe": must be true or false.',
      '"port": "80" in "hub.json": must be an integer from 0 to 65535.',
      'Unknown key "hots" in "hub.json": did you mean host?',
      'Unknown key "__proto__" in "hub.json": --help lists the options.',
      'Unknown key "constructor" in "hub.json": --help lists the options.',
    ]);
  });

  test.each([
    [['--host', '--port', '1'], '--host needs a value: write --host=VALUE.'],
    [['--no-port'], 'Unknown option "--no-port": --help lists the options.'],
    [['--no-insecure=1'], '--no-insecure takes no value: write --insecure or --no-insecure.'],
    [['-p'], 'Unknown option "-p": --help lists the options.'],
    [['--\u001b[31m'], 'Unknown option "--\\x1b[31m": --help lists the options.'],
    [['--__proto__=1'], 'Unknown option "--__proto__": --help lists the options.'],
    [
      ['--config', 'none.json'],
      `Config file "none.json" cannot be read as JSON: ENOENT: no such file, open 'none.json'.`,
    ],
    [
      ['--config', 'bad.json'],
      'Config file "bad.json" cannot be read as JSON: Unexpected end of JSON input.',
    ],
    [['--config', 'list.json'], 'Config file "list.json" must hold one JSON object, such as {"port": 2206}.'],
  ])('%j', (argv, problem) => {
    expect(problems({ argv, files: { 'bad.json': '', 'list.json': '[]' } })[0]).toBe(problem);
  });

  test('options are checked against each other once each is valid', () => {
    expect(problems({ argv: ['--host', '0.0.0.0'] })).toEqual(['--host 0.0.0.0 needs --insecure.']);
    expect(problems({ argv: ['--host', '0.0.0.0', '--insecure'] })).toEqual([]);
    expect(problems({ argv: ['--host', '0.0.0.0', '--port', 'x'] })).toHaveLength(1);
  });
});

test('unknown variables with the prefix are warnings, and others are ignored', () => {
  const env = { GROUPCAST_HUB_PROT: '1', GROUPCAST_HUBBUB: '1', GROUPCAST_GATEWAY_PORT: '1', HOME: '/' };
  expect(read({ env }).warnings).toEqual([
    'Unknown environment variable "GROUPCAST_HUB_PROT" is ignored: did you mean GROUPCAST_HUB_PORT?',
  ]);
});

test('a ConfigError has a code, and all problems in its message', () => {
  const error = new ConfigError(['a', 'b']);
  expect([error.code, error.message, error.problems]).toEqual(['invalid_config', 'a\nb', ['a', 'b']]);
});
