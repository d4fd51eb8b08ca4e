import { flagOption, integerOption } from '@groupcast/options';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../config/config-error.ts';
import type { ConfigTable } from '../config/option-values.ts';
import { AdminError } from '../http/admin-error.ts';
import type { Command, Program } from './program.ts';
import { runCommand } from './run-command.ts';

interface Config {
  readonly port: number;
  readonly insecure: boolean;
}

const options: ConfigTable<Config> = {
  port: integerOption({
    default: 2206,
    min: 0,
    max: 65_535,
    unit: 'TCP port',
    describe: 'Port to listen on.',
  }),
  insecure: flagOption({ default: false, describe: 'Allow it.' }),
};

function throwing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

const makeFlags = {
  port: integerOption({ default: 1, min: 1, max: 9, unit: 'things', describe: 'Things to make.' }),
};

/** A command with flags of its own, one of which has the name of an option of the program. */
const make: Command<object, { port: number }> = {
  summary: 'Make things.',
  uses: [],
  flags: makeFlags,
  run: ({ port }, { print, sources }) => {
    print(JSON.stringify([port, sources['port']]));
    return 43;
  },
};

const program: Program<Config> = {
  name: 'groupcast-hub',
  version: '0.1.0',
  summary: 'A hub.',
  envPrefix: 'GROUPCAST_HUB',
  options,
  commands: {
    start: {
      summary: 'Run the hub.',
      run: (config, { print, sources, warnings }) => {
        print(JSON.stringify([config, sources, warnings]));
        return 42;
      },
    },
    late: { summary: 'Refuse.', run: throwing(new ConfigError(['the secret file is empty.', 'another.'])) },
    status: {
      summary: 'Ask.',
      run: async () => throwing(new AdminError('unreachable', 'Nothing answers.'))(),
    },
    make,
    broken: { summary: 'Break.', run: throwing(new TypeError('x is not a function')) },
  },
};

async function run(...argv: string[]): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCommand(
    program,
    argv,
    { GROUPCAST_HUB_PROT: '1' },
    {
      print: (text) => void out.push(text),
      printError: (text) => void err.push(text),
      readFile: throwing(new Error('no files here')),
    },
  );
  return { code, out, err };
}

describe('finding the command', () => {
  test('a command gets its config and the sources, and returns the exit code', async () => {
    const { code, out, err } = await run('start', '--port=1');
    expect([code, err]).toEqual([42, []]);
    expect(JSON.parse(out[0]!)).toEqual([
      { port: 1, insecure: false },
      { port: 'flag --port', insecure: 'default' },
      ['Unknown environment variable "GROUPCAST_HUB_PROT" is ignored: did you mean GROUPCAST_HUB_PORT?'],
    ]);
  });

  test('--version and --help', async () => {
    expect(await run('--version')).toEqual({ code: 0, out: ['groupcast-hub 0.1.0'], err: [] });
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const part of ['start', 'status', 'check-config', '--version', 'Exit codes:'])
      expect(out[0]).toContain(part);
    const help = await run('start', '--port=nonsense', '--help');
    expect([help.code, help.out[0]?.split('\n')[0]]).toEqual([0, 'Run the hub.']);
  });

  test('without a command, the help is on stderr, and the code is 2', async () => {
    const { code, out, err } = await run();
    expect([code, out, err.length]).toEqual([2, [], 1]);
  });

  test.each([
    ['strat', 'unknown command "strat": did you mean start? groupcast-hub --help says more.'],
    [
      'chek-config',
      'unknown command "chek-config": did you mean check-config? groupcast-hub --help says more.',
    ],
    ['--port=1', 'put the command first: groupcast-hub <command> [options].'],
    [
      'toString',
      'unknown command "toString": the commands are start, late, status, make, broken, check-config.',
    ],
    ['\u001b[2J', 'unknown command "\\x1b[2J": the commands are'],
  ])('%j is not a command: one sentence, and the code is 2', async (name, sentence) => {
    const { code, err } = await run(name);
    expect(code).toBe(2);
    expect(err).toHaveLength(1);
    expect(err[0]).toContain(`groupcast-hub: ${sentence}`);
  });
});

test('a command can read its configuration again, from a file that has changed meanwhile', async () => {
  const texts = ['{"port": 1, "insecure": true}', '{"port": 2}', '{"port": "x", "insecure": 3}'];
  const seen: unknown[] = [];
  const start: Command<Config> = {
    summary: 'Run.',
    run: (config, { reread }) => {
      seen.push(config, reread().config);
      expect(reread).toThrow(ConfigError);
      return 0;
    },
  };
  const io = { print: () => {}, printError: () => {}, readFile: () => texts.shift() ?? '' };
  const env = { GROUPCAST_HUB_CONFIG: 'hub.json' };
  expect(await runCommand({ ...program, commands: { start } }, ['start', '--port=7'], env, io)).toBe(0);
  // Flags win over the file as it is now.
  expect(seen).toEqual([
    { port: 7, insecure: true },
    { port: 7, insecure: false },
  ]);
});

describe('failures', () => {
  test('each problem of the config has its own line, and the code is 1', async () => {
    expect(await run('start', '--port=x', '--insecur')).toEqual({
      code: 1,
      out: [],
      err: [
        'groupcast-hub: Unknown option "--insecur": did you mean --insecure?',
        'groupcast-hub: --port "x": must be an integer from 0 to 65535.',
      ],
    });
  });

  test('a command may fail later, in the same form', async () => {
    const { code, err } = await run('late');
    expect([code, err]).toEqual([1, ['groupcast-hub: the secret file is empty.', 'groupcast-hub: another.']]);
  });

  test('an unreachable service is reported without a stack, a defect with one', async () => {
    expect((await run('status')).err).toEqual(['groupcast-hub: Nothing answers.']);
    const { code, err } = await run('broken');
    expect(code).toBe(1);
    expect(err[0]).toMatch(/^groupcast-hub: TypeError: x is not a function\n +at /);
  });
});

describe('check-config', () => {
  test('prints each option with value and source', async () => {
    const { code, out, err } = await run('check-config', '--insecure');
    expect(code).toBe(0);
    expect(out).toEqual([
      'option    value  source\nport      2206   default\ninsecure  true   flag --insecure',
      'configuration is valid',
    ]);
    expect(err).toEqual([
      'warning: Unknown environment variable "GROUPCAST_HUB_PROT" is ignored: did you mean GROUPCAST_HUB_PORT?',
    ]);
  });

  test('prints all problems, and the code is 1', async () => {
    const { code, out, err } = await run('check-config', '--port=x', '--config=none');
    expect([code, out, err.length]).toEqual([1, [], 2]);
  });
});

describe('a command that uses no option of the program', () => {
  test('accepts its own flags only', async () => {
    expect(await run('make', '--port', '3')).toEqual({
      code: 43,
      out: ['[3,"flag --port"]'],
      err: [],
    });
    const { code, err } = await run('make', '--port', '2206', '--insecure');
    expect(code).toBe(1);
    expect(err).toEqual([
      expect.stringContaining('make does not use --insecure. Its options are --port.'),
      expect.stringContaining('an integer from 1 to 9'),
    ]);
  });

  test('explains those in its help', async () => {
    const { out } = await run('make', '--help');
    expect(out[0]).toContain('Make things.\n\nUsage: groupcast-hub make [options]');
    for (const text of ['--insecure', '--config', 'Env ']) expect(out[0]).not.toContain(text);
  });
});
